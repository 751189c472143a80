// SPDX-License-Identifier: MIT
// The same API on the same tables with fastify and pg: the list of todos and their creation, behind an HS256 token. One process, a pool
// of ten. PORT, JWT_SECRET, DATABASE_URL. It does what makes it fast: prepared statements, tokens remembered, compiled schemas, dates and
// numbers parsed as they are sent. It does less than the server beside it: no log, limits, metrics, security headers or request identifiers.
import { randomUUID } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import Fastify from 'fastify';
import pg from 'pg';

const { PORT, JWT_SECRET, DATABASE_URL } = process.env;
const COLUMNS = 'id, title, completed, user_id, created_at, updated_at, description, priority, due_at, completed_at';
// OIDs of pg_type: int8 fits a number here; a timestamptz in UTC as RFC 3339 is one slice away.
const INT8 = 20, TIMESTAMPTZ = 1184;

pg.types.setTypeParser(INT8, Number);
pg.types.setTypeParser(TIMESTAMPTZ, (text) => {
  // "2026-11-22 20:15:00.123+00": fractions come with 0 to 6 digits.
  const fraction = text.indexOf('.');
  const end = text.lastIndexOf('+');
  if (end < 0 || text.length !== end + 3) return new Date(text).toISOString();
  const milliseconds = fraction < 0 ? '000' : text.slice(fraction + 1, Math.min(end, fraction + 4)).padEnd(3, '0');
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${milliseconds}Z`;
});

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10, min: 10, options: '-c timezone=UTC' });
const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], cache: 10000 });

const LIST = {
  name: 'todos.list',
  text: `SELECT id, title, completed, user_id AS "userId", created_at AS "createdAt", updated_at AS "updatedAt", description, priority,
         due_at AS "dueAt", completed_at AS "completedAt", version, (SELECT count(*) FROM todos WHERE user_id = $1) AS total FROM todos WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`,
};
const COUNT = { name: 'todos.count', text: 'SELECT count(*) AS total FROM todos WHERE user_id = $1' };
const CREATE = {
  name: 'todos.create',
  text: `INSERT INTO todos (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
};

// A version 7 UUID (RFC 9562): randomUUID() has its random bytes at hand.
function newId(now) {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

const text = { type: 'string' };
const count = { type: 'integer' };
const nullable = { type: ['string', 'null'] };
const todo = {
  type: 'object',
  properties: {
    id: text, title: text, completed: { type: 'boolean' }, userId: text, createdAt: text, updatedAt: text,
    description: nullable, priority: count, dueAt: nullable, completedAt: nullable, version: count,
  },
};
const meta = {
  type: 'object',
  properties: { totalItems: count, totalPages: count, currentPage: count, itemsPerPage: count, hasMore: { type: 'boolean' } },
};
const page = { type: 'object', properties: { data: { type: 'array', items: todo }, meta } };

function reply(data) {
  return { type: 'object', properties: { success: { type: 'boolean' }, message: text, data } };
}

const listSchema = {
  querystring: {
    type: 'object',
    properties: {
      page: { type: 'integer', minimum: 1, default: 1 },
      limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    },
  },
  response: { 200: reply(page) },
};

const createSchema = {
  body: {
    type: 'object',
    required: ['title'],
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 500 },
      completed: { type: 'boolean', default: false },
      description: { ...nullable, maxLength: 10000, default: null },
      priority: { type: 'integer', minimum: 0, maximum: 4, default: 0 },
      dueAt: { ...nullable, format: 'date-time', default: null },
    },
  },
  response: { 201: reply(todo) },
};

const app = Fastify({ logger: false });

app.decorateRequest('userId', null);
app.addHook('onRequest', (request, answer, done) => {
  const authorization = request.headers.authorization;
  if (!authorization?.startsWith('Bearer ')) {
    answer.code(401).send({ success: false, status: 'fail', message: 'Authentication required' });
    return;
  }
  try {
    request.userId = verify(authorization.slice(7)).id;
  } catch {
    answer.code(401).send({ success: false, status: 'fail', message: 'Invalid or expired token' });
    return;
  }
  done();
});

app.get('/api/v1/todos', { schema: listSchema }, async (request) => {
  const { page: current, limit } = request.query;
  const { rows } = await pool.query({ ...LIST, values: [request.userId, limit, (current - 1) * limit] });
  let total = rows.length > 0 ? rows[0].total : 0;
  if (rows.length === 0 && current > 1) total = (await pool.query({ ...COUNT, values: [request.userId] })).rows[0].total;
  return {
    success: true,
    message: 'Todos retrieved successfully',
    data: {
      data: rows, // the schema picks the members
      meta: {
        totalItems: total, totalPages: Math.ceil(total / limit), currentPage: current, itemsPerPage: limit, hasMore: current * limit < total,
      },
    },
  };
});

app.post('/api/v1/todos', { schema: createSchema }, async (request, answer) => {
  const now = Date.now();
  const date = new Date(now).toISOString();
  const { title, completed, description, priority, dueAt } = request.body;
  const created = {
    id: newId(now), title: title.trim(), completed, userId: request.userId, createdAt: date, updatedAt: date, description, priority, dueAt,
    completedAt: completed ? date : null, version: 1,
  };
  const values = [created.id, created.title, completed, created.userId, date, description, priority, dueAt, created.completedAt];
  await pool.query({ ...CREATE, values });
  answer.code(201);
  return { success: true, message: 'Todo created successfully', data: created };
});

await app.listen({ host: '127.0.0.1', port: Number(PORT) });
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, async () => {
    await app.close();
    await pool.end();
  });
}
