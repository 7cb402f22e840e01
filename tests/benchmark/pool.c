/* The engine's plainest pool in C: the yardstick for the compiled kernel.

   On demand, one slot a replica, one FIFO queue, most recently used first, an idle timeout,
   setup times, max replicas; none of the engine's other options. Writes the engine's
   records (costsim/records.py), the same numbers bit for bit.

   It uses what the missing options allow: idle replicas are a stack whose bottom has the
   earliest deadline, so one deque is both the routing and the timers. */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct __attribute__((packed)) {
    double arrival_s, start_s, departure_s;
    int32_t replica;
    bool cold;
    int32_t launched;
    int8_t outcome;
} request_row;

typedef struct __attribute__((packed)) {
    double launch_s, ready_s, stop_s, busy_s, slot_s;
    int64_t n_served;
    bool missed;
} replica_row;

enum { SERVED = 0, UNFINISHED = 3 };

/* A time's key is its bits: for times >= 0 they order like the times, and faster. One
   integer decides a tie: completions by request, then setups that end by replica. */
typedef struct {
    int64_t key, code;
} event;

static const int REPLICA_BITS = 28;
static const int64_t REPLICA_MASK = (1LL << 28) - 1;
static const int64_t READY_CLASS = 1LL << 62;

typedef struct {
    double deadline_s;
    int64_t replica;
} idle_replica;

typedef struct {
    double busy_since_s;
    int64_t ready_after; /* arrivals before it was ready */
} life;

static inline int64_t time_key(double time_s) {
    int64_t key;
    time_s += 0.0; /* -0.0 becomes 0.0 */
    memcpy(&key, &time_s, sizeof key);
    return key;
}

static inline double key_time(int64_t key) {
    double time_s;
    memcpy(&time_s, &key, sizeof time_s);
    return time_s;
}

static inline event completion(double time_s, int64_t request, int64_t replica) {
    return (event){time_key(time_s), request << REPLICA_BITS | replica};
}

/* The first event is at index 1, so that two children share a cache line. */
static inline void heap_rise(event *heap, int64_t hole, event e) {
    while (hole > 1) {
        event above = heap[hole >> 1];
        if (above.key < e.key || (above.key == e.key && above.code < e.code))
            break;
        heap[hole] = above;
        hole >>= 1;
    }
    heap[hole] = e;
}

/* Put `e` in the place of the first of `size` events. The hole sinks to a leaf along the
   smaller children and `e` rises from there: it is nearly always a late one. Which child is
   smaller cannot be predicted, so it is added, not branched on. */
static inline void heap_replace(event *heap, int64_t size, event e) {
    int64_t hole = 1, child = 2;
    while (child < size) {
        event left = heap[child], right = heap[child + 1];
        int64_t smaller = right.key < left.key;
        if (right.key == left.key)
            smaller = right.code < left.code;
        child += smaller;
        heap[hole] = heap[child];
        hole = child;
        child = 2 * hole;
    }
    if (child == size) {
        heap[hole] = heap[child];
        hole = child;
    }
    heap_rise(heap, hole, e);
}

/* Returns how many replicas there were, or -1 if setup times or memory ran out. */
int64_t simulate(
    const double *arrival_s, const double *service_time_s, int64_t n_requests,
    const double *setup_time_s, int64_t n_setups, double idle_timeout_s,
    int64_t max_replicas, int64_t initial_replicas,
    request_row *requests, replica_row *replicas, double *end_s)
{
    int64_t room = initial_replicas + n_setups, ring = 1;
    while (ring < room)
        ring *= 2;
    event *heap = aligned_alloc(64, (room + 4) / 4 * 64);
    int64_t *queue = malloc((n_requests + 1) * sizeof *queue);
    life *lives = malloc((room + 1) * sizeof *lives);
    idle_replica *idle = malloc(ring * sizeof *idle);
    const uint64_t mask = ring - 1;
    uint64_t bottom = 0, top = 0;
    int64_t n_events = 0, queue_head = 0, queue_tail = 0, arrived = 0;
    int64_t n_replicas = 0, alive = 0, starting = 0, launches = 0;
    double t = 0.0;
    bool failed = !heap || !queue || !lives || !idle;

    for (; !failed && n_replicas < initial_replicas; n_replicas++, alive++) {
        replicas[n_replicas] = (replica_row){.stop_s = NAN};
        lives[n_replicas] = (life){0.0, 0};
        idle[top++ & mask] = (idle_replica){idle_timeout_s, n_replicas};
    }
    while (!failed) {
        double event_s = n_events > 0 ? key_time(heap[1].key) : INFINITY;
        double timer_s = bottom < top ? idle[bottom & mask].deadline_s : INFINITY;
        double arrives_s = arrived < n_requests ? arrival_s[arrived] : INFINITY;
        if (arrives_s < event_s && arrives_s < timer_s) { /* ARRIVAL */
            t = arrives_s;
            int64_t request = arrived++;
            if (bottom < top) {
                int64_t replica = idle[--top & mask].replica;
                double duration_s = service_time_s[request];
                requests[request] = (request_row){
                    t, t, t + duration_s, (int32_t)replica, false, 0, SERVED};
                replicas[replica].slot_s += duration_s;
                lives[replica].busy_since_s = t;
                heap_rise(heap, ++n_events, completion(t + duration_s, request, replica));
                continue;
            }
            requests[request] = (request_row){t, NAN, NAN, -1, false, 0, UNFINISHED};
            queue[queue_tail++] = request;
            if (queue_tail - queue_head > starting && alive < max_replicas) {
                failed = launches == n_setups;
                if (failed)
                    break;
                requests[request].launched = 1;
                replicas[n_replicas] = (replica_row){t, NAN, NAN, 0.0, 0.0, 0};
                heap_rise(heap, ++n_events, (event){
                    time_key(t + setup_time_s[launches++]), READY_CLASS | n_replicas});
                n_replicas++, alive++, starting++;
            }
        } else if (event_s <= timer_s && event_s < INFINITY) { /* COMPLETION or READY */
            t = event_s;
            int64_t code = heap[1].code, replica = code & REPLICA_MASK;
            bool ends_setup = code >= READY_CLASS;
            if (ends_setup) {
                replicas[replica].ready_s = t;
                lives[replica] = (life){t, arrived};
                starting--;
            } else {
                replicas[replica].n_served++;
            }
            if (queue_head < queue_tail) {
                int64_t request = queue[queue_head++];
                double duration_s = service_time_s[request];
                request_row *row = &requests[request];
                row->start_s = t;
                row->departure_s = t + duration_s;
                row->replica = (int32_t)replica;
                row->cold = lives[replica].ready_after > request;
                row->outcome = SERVED;
                replicas[replica].slot_s += duration_s;
                heap_replace(heap, n_events, completion(t + duration_s, request, replica));
            } else {
                event last = heap[n_events--];
                heap_replace(heap, n_events, last);
                replicas[replica].busy_s += t - lives[replica].busy_since_s;
                idle[top++ & mask] = (idle_replica){t + idle_timeout_s, replica};
            }
        } else if (timer_s < INFINITY) { /* IDLE TIMEOUT */
            t = timer_s;
            replicas[idle[bottom++ & mask].replica].stop_s = t;
            alive--;
        } else {
            break;
        }
    }
    *end_s = t;
    free(heap);
    free(queue);
    free(lives);
    free(idle);
    return failed ? -1 : n_replicas;
}
