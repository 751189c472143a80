/* SPDX-License-Identifier: MIT */
#include "flights.h"

int flights_take(struct flights *flights, uint64_t key, unsigned worker, uint32_t *ret_cell)
{
    uint32_t cell = FLIGHTS_CELLS;
    int status = 0;
    key = key ? key : 1;
    /* A worker that died while it held the mutex has written at most one cell, which its replacement frees. */
    (void)bp_mutex_lock(&flights->mutex);
    for (uint32_t i = 0; i < FLIGHTS_CELLS && status == 0; i++) {
        if (flights->cells[i].key == key)
            status = FLIGHTS_E_TAKEN;
        else if (flights->cells[i].key == 0 && cell == FLIGHTS_CELLS)
            cell = i;
    }
    if (status == 0 && cell < FLIGHTS_CELLS) {
        flights->cells[cell].worker = worker;
        flights->cells[cell].key = key;
    }
    bp_mutex_unlock(&flights->mutex);
    if (status == 0)
        *ret_cell = cell;
    return status;
}

void flights_give_back(struct flights *flights, uint32_t cell)
{
    if (cell >= FLIGHTS_CELLS)
        return;
    (void)bp_mutex_lock(&flights->mutex);
    flights->cells[cell].key = 0;
    bp_mutex_unlock(&flights->mutex);
}

void flights_forget(struct flights *flights, unsigned worker)
{
    (void)bp_mutex_lock(&flights->mutex);
    for (uint32_t i = 0; i < FLIGHTS_CELLS; i++)
        if (flights->cells[i].key != 0 && flights->cells[i].worker == worker)
            flights->cells[i].key = 0;
    bp_mutex_unlock(&flights->mutex);
}
