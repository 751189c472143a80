// SPDX-License-Identifier: MIT
// Values that are valid by a schema, and values each of which is wrong in one way.

const ALPHABETS = ["abcdefghijklmnopqrstuvwxyz", "ABCXYZ019 _-.,:;", "äöüßéñ中文日本", "😀🚀𝄞", "'\"\\/<>&%;--${}[]()|*?", "0123456789"];

function text(random, length) {
  let result = "";
  while ([...result].length < length) result += random.pick([...random.pick(ALPHABETS)]);
  return [...result].slice(0, length).join("");
}

// A few characters of another text changed, so that it still looks like it.
function edited(random, from) {
  const letters = [...from];
  for (let edits = random.between(1, 3); edits > 0; edits--) {
    const at = random.below(letters.length + 1), kind = random.below(3);
    const letter = random.pick([..."abcxyzABC0189-_.@+:#, äÖ'"]);
    letters.splice(at, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [letter]));
  }
  return letters.join("");
}

function length(schema, random, cap = 40) {
  const low = schema.minLength ?? 0, high = schema.maxLength ?? Math.max(low, cap);
  if (random.chance(0.1)) return low;
  if (random.chance(0.1)) return high;
  return random.between(low, Math.min(high, Math.max(low, cap)));
}

function validText(document, schema, random) {
  if (schema.enum) return random.pick(schema.enum.filter((value) => value !== null));
  if (schema.format === "uuid") return random.uuid();
  if (schema.format === "date-time") {
    const date = new Date(Date.now() + 86400000 + random.below(2 ** 31) * 100).toISOString();
    return random.pick([date, date.replace(/\.\d+/, ""), date.replace("Z", "+02:00"), date.replace("Z", "-11:30")]);
  }
  // The rule for new passwords is an option of the server, which the document describes in words.
  if (schema.format === "password" && schema.minLength) return `Aa1!${text(random, random.between(schema.minLength, schema.maxLength - 4))}`;
  for (let tries = 0; tries < 20; tries++) {
    const candidate = schema.pattern && schema.examples ? edited(random, random.pick(schema.examples)) : text(random, length(schema, random));
    if (document.fits(schema, candidate)) return candidate;
  }
  return schema.examples ? random.pick(schema.examples) : text(random, Math.max(schema.minLength ?? 1, 8));
}

function validNumber(schema, random) {
  const low = schema.minimum ?? -1000000, high = schema.maximum ?? 1000000;
  const value = random.chance(0.2) ? random.pick([low, high]) : low + (random.next() / 2 ** 32) * (Math.min(high, low + 1e6) - low);
  return schema.type === "integer" || [schema.type].flat().includes("integer") ? Math.floor(value) : value;
}

// A value that the schema allows.
export function valid(document, given, random) {
  const schema = document.follow(given);
  if ("const" in schema) return schema.const;
  if (schema.anyOf || schema.oneOf) return valid(document, random.pick(schema.anyOf ?? schema.oneOf), random);
  const types = [schema.type ?? "string"].flat();
  const type = types.includes("null") && random.chance(0.15) ? "null" : types.find((name) => name !== "null");
  switch (type) {
    case "null":
      return null;
    case "boolean":
      return random.chance(0.5);
    case "integer":
    case "number":
      return validNumber(schema, random);
    case "array": {
      const low = schema.minItems ?? 0, high = Math.max(low, Math.min(schema.maxItems ?? 5, 5));
      const items = Array.from({ length: random.between(low, high) }, () => valid(document, schema.items ?? {}, random));
      return schema.uniqueItems ? [...new Set(items)] : items;
    }
    case "object":
      return validObject(document, schema, random);
    default:
      return validText(document, schema, random);
  }
}

function validObject(document, schema, random) {
  const result = {};
  for (const [name, property] of random.shuffled(Object.entries(schema.properties ?? {})))
    if (schema.required?.includes(name) || random.chance(0.5)) result[name] = valid(document, property, random);
  return result;
}

// Those of the values that the schema refuses.
function refused(document, schema, values) {
  return values.filter(([, value]) => !document.fits(schema, value));
}

const OF_TYPES = [["a boolean", true], ["an integer", 7], ["a fraction", 1.5], ["a text", "word"], ["an array", []], ["an object", {}], ["null", null]];

// [what, value] of values that the schema does not allow, each for one reason.
export function invalid(document, given, random) {
  const schema = document.follow(given), result = [...OF_TYPES];
  const types = [schema.type].flat();
  if (types.includes("string")) {
    if (schema.maxLength) result.push(["too long", "x".repeat(schema.maxLength + 1)], ["much too long", "ä".repeat(schema.maxLength * 2 + 1)]);
    if (schema.minLength) result.push(["too short", "x".repeat(schema.minLength - 1)], ["empty", ""]);
    if (schema.pattern || schema.format || schema.enum) {
      const like = schema.examples?.[0] ?? valid(document, { ...schema, type: "string" }, random);
      for (let i = 0; i < 12; i++) result.push(["of another form", edited(random, like)]);
      result.push(["empty", ""], ["white space", "  "], ["with NUL", `${like}\u0000`], ["twice", like + like], ["with a line end", `${like}\n`]);
    }
  }
  if (types.includes("integer") || types.includes("number")) {
    if (schema.minimum !== undefined) result.push(["too small", schema.minimum - 1], ["much too small", -(2 ** 53)]);
    if (schema.maximum !== undefined) result.push(["too large", schema.maximum + 1], ["much too large", 2 ** 62]);
  }
  if (types.includes("array")) {
    const item = valid(document, schema.items ?? {}, random);
    if (schema.maxItems) result.push(["too many", Array.from({ length: schema.maxItems + 1 }, () => valid(document, schema.items ?? {}, random))]);
    if (schema.minItems) result.push(["too few", Array.from({ length: schema.minItems - 1 }, () => item)]);
    for (const [what, bad] of schema.items ? invalid(document, schema.items, random) : []) result.push([`with an item that is ${what}`, [item, bad]]);
  }
  return refused(document, schema, result);
}
