/* SPDX-License-Identifier: MIT */
#include "job.h"

void job_list_add(struct job_list *list, struct job *job)
{
    job->state = JOB_QUEUED;
    job->list = list;
    job->next = NULL;
    job->prev = list->tail;
    *(list->tail ? &list->tail->next : &list->head) = job;
    list->tail = job;
    list->len++;
}

void job_list_add_first(struct job_list *list, struct job *job)
{
    job->state = JOB_QUEUED;
    job->list = list;
    job->prev = NULL;
    job->next = list->head;
    *(list->head ? &list->head->prev : &list->tail) = job;
    list->head = job;
    list->len++;
}

void job_remove(struct job *job)
{
    struct job_list *list = job->list;
    *(job->prev ? &job->prev->next : &list->head) = job->next;
    *(job->next ? &job->next->prev : &list->tail) = job->prev;
    list->len--;
    job->prev = job->next = NULL;
    job->list = NULL;
}

static void done(struct job *job)
{
    job->state = JOB_DONE;
    job->connection = NULL;
    bp_event_set(&job->event);
}

void job_answer(struct job *job, PGresult *result)
{
    job->result = result;
    done(job);
}

void job_fail(struct job *job, int status)
{
    job->status = job_status(job, status);
    done(job);
}

int job_status(const struct job *job, int status)
{
    return job->unsure ? BP_UNKNOWN : status;
}

void job_list_fail(struct job_list *list, int status)
{
    while (list->head) {
        struct job *job = list->head;
        job_remove(job);
        job_fail(job, status);
    }
}
