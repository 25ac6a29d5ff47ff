/* The load generator: one thread, epoll, no JSON parser. It must cost less than the server it drives, so frames are built once and
 * patched, and received ones are read by looking for a few known fields. What each file does:
 *   main.c    reads the setup file, obeys commands on stdin, answers one JSON line each
 *   wire.c    sockets, the WebSocket handshake and framing
 *   frames.c  what a text frame means: checks every delivery for loss, order, agreement and the right room
 *   run.c     open-loop and closed-loop load, measured in a window
 *   cpu.c     CPU time of the watched processes and of the whole machine
 */
#ifndef GENERATOR_H
#define GENERATOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOM_ID_LENGTH 36
#define CONTENT_LENGTH 200
/* Deliveries of one room that may be under way between its fastest and its slowest member. A power of two. */
#define AGREEMENT_RING 1024
#define NANOS 1000000000ull

/* ---- histogram: log-linear, 64 steps per power of two, microseconds; histogram.ts reads the buckets with the same formula ---- */
#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS 2048
struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t value) {
  if (value < (1u << HISTOGRAM_SUB_BITS)) return (unsigned)value;
  unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
  unsigned bucket = ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)((value >> shift) - (1u << HISTOGRAM_SUB_BITS));
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline void histogram_add(struct histogram *h, int64_t nanos, uint64_t times) {
  h->counts[histogram_bucket(nanos < 0 ? 0 : (uint64_t)nanos / 1000)] += times;
}

/* ---- connections and rooms ---- */
enum state { FRESH, CONNECTING, UPGRADING, WELCOMING, OPEN, JOINING, JOINED, CLOSED };

struct connection {
  int fd;
  enum state state;
  uint32_t room;
  uint64_t last_seq;
  /* which of the 64 seqs up to last_seq have arrived; tells a late frame from a doubled one */
  uint64_t seen;
  uint64_t started_at;
  char *carry; /* an incomplete frame */
  uint32_t carried, carry_size;
  uint32_t token_offset, token_length;
};

struct room {
  char id[ROOM_ID_LENGTH + 1];
  uint32_t members;
  uint64_t acked_head;
  /* which message a seq was, as its first receiver saw it */
  uint64_t ring_seq[AGREEMENT_RING];
  uint32_t ring_message[AGREEMENT_RING];
};

struct message {
  uint64_t intended;
  uint32_t sender;
  bool settled;
};

/* ---- counters of the current command; all of them go into its answer ---- */
struct counters {
  uint64_t sent, acked, refused, delivered;
  uint64_t lost, duplicated, misordered, disagreed, wrong_room;
  uint64_t closed, errors, unexpected;
};

struct watched {
  char name[24];
  int pid;
};

struct usage {
  uint64_t at;
  uint64_t process[16];
  uint64_t own;
  double busy; /* seconds of all cores, of everybody */
};

struct load {
  bool active, closed_loop, window_open, window_done;
  uint32_t run;
  uint64_t window_from, window_to;
  struct message *messages;
  uint32_t message_count, message_capacity;
  uint64_t expected_deliveries;
  struct usage before, after;
  struct counters at_open, at_close;
};

struct generator {
  struct connection *connections;
  uint32_t connection_count;
  struct room *rooms;
  uint32_t room_count;
  uint32_t *senders; /* indexes of connections, all first senders of the rooms before all second ones */
  uint32_t sender_count, senders_per_room;
  char *text; /* the setup file; tokens point into it */
  char host[64];
  int port;
  uint32_t first_source, source_count;
  uint32_t seed;
  int epoll, wire_events;
  uint32_t reached; /* connections that reached the state the current command waits for */
  struct watched watched[16];
  int watched_count;
  struct counters counters;
  struct load load;
  struct histogram delivery, ack, handshake;
  char first_problem[256];
};

extern struct generator g;

uint64_t now_nanos(void);
void fail(const char *what);
void problem(const char *text, size_t length);

/* wire.c */
void connection_start(struct connection *c);
void connection_close(struct connection *c, const char *why);
void send_text(struct connection *c, const char *text, size_t length);
void send_frame(struct connection *c, int opcode, const char *payload, size_t length);
/* Waits for sockets at most until `deadline` and handles what came; true when stdin has something and was asked for. */
bool turn(uint64_t deadline, bool with_stdin);

/* frames.c */
void receive_text(struct connection *c, const char *text, size_t length, uint64_t now);
uint64_t count_missing(void);
void send_join(struct connection *c);

/* run.c */
void settled(uint32_t message, bool stored, uint64_t at);
void send_message(uint32_t sender, uint64_t intended);
void run_open(double rate, double warm_seconds, double seconds);
void run_closed(uint32_t in_flight, double warm_seconds, double seconds);

/* cpu.c */
void take_usage(struct usage *usage);
#endif
