/* Load: open loop (a fixed schedule, whatever the server does) and closed loop (a fixed number of messages under way). Latency counts
 * from the moment a message was due, not from when it was sent, so that a late generator cannot hide a slow server. */
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_NANOS (10 * NANOS)
/* A message that never arrives counts as this latency. */
#define NEVER_NANOS (60ll * (int64_t)NANOS)

struct retry {
  uint32_t sender;
  uint64_t due;
};
static struct retry *retries;
static uint32_t retry_head, retry_tail, retry_size;

static uint32_t add_message(uint32_t sender, uint64_t intended) {
  struct load *load = &g.load;
  if (load->message_count == load->message_capacity) {
    load->message_capacity = load->message_capacity ? load->message_capacity * 2 : 65536;
    load->messages = realloc(load->messages, load->message_capacity * sizeof *load->messages);
    if (!load->messages) fail("memory");
  }
  load->messages[load->message_count] = (struct message){.intended = intended, .sender = sender, .settled = false};
  return load->message_count++;
}

void send_message(uint32_t sender, uint64_t intended) {
  static char padding[CONTENT_LENGTH];
  if (padding[0] == 0) memset(padding, 'x', sizeof padding);
  struct connection *c = &g.connections[sender];
  if (c->state != JOINED) return;
  uint32_t number = add_message(sender, intended);
  char text[640];
  int length = snprintf(text, sizeof text,
                        "{\"type\":\"message\",\"room_id\":\"%s\",\"content\":\"t%016llxn%08x%.*s\",\"message_type\":\"text\","
                        "\"client_msg_id\":\"%08x-%04x-%08x\"}",
                        g.rooms[c->room].id, (unsigned long long)intended, number, CONTENT_LENGTH - 26, padding, g.seed, g.load.run & 0xffff,
                        number);
  g.counters.sent++;
  send_text(c, text, (size_t)length);
}

static bool in_window(uint64_t at) { return at >= g.load.window_from && at < g.load.window_to; }

/* `at`: when the ack came, or when a refused sender may try again. */
void settled(uint32_t number, bool stored, uint64_t at) {
  struct load *load = &g.load;
  struct message *message = &load->messages[number];
  if (message->settled) return;
  message->settled = true;
  if (stored) {
    g.counters.acked++;
    load->expected_deliveries += g.rooms[g.connections[message->sender].room].members;
    if (in_window(message->intended)) histogram_add(&g.ack, (int64_t)(at - message->intended), 1);
  } else {
    g.counters.refused++;
  }
  if (!load->closed_loop || load->window_done) return;
  if (stored) {
    send_message(message->sender, at);
  } else {
    retries[retry_tail++ % retry_size] = (struct retry){.sender = message->sender, .due = at};
  }
}

static void begin(double warm_seconds, double seconds, uint64_t start) {
  struct load *load = &g.load;
  memset(&g.counters, 0, sizeof g.counters);
  memset(&g.delivery, 0, sizeof g.delivery);
  memset(&g.ack, 0, sizeof g.ack);
  g.first_problem[0] = 0;
  load->message_count = 0;
  load->expected_deliveries = 0;
  load->window_open = load->window_done = false;
  load->run++;
  load->window_from = start + (uint64_t)(warm_seconds * NANOS);
  load->window_to = load->window_from + (uint64_t)(seconds * NANOS);
}

/* Takes the figures at the window's two ends. */
static void watch_window(uint64_t now) {
  struct load *load = &g.load;
  if (!load->window_open && now >= load->window_from) {
    load->window_open = true;
    load->at_open = g.counters;
    take_usage(&load->before);
  }
  if (!load->window_done && now >= load->window_to) {
    load->window_done = true;
    load->at_close = g.counters;
    take_usage(&load->after);
  }
}

static bool all_settled(void) {
  return g.counters.acked + g.counters.refused == g.counters.sent && g.counters.delivered >= g.load.expected_deliveries;
}

static void finish(void) {
  uint64_t missing = count_missing();
  g.counters.lost += missing;
  histogram_add(&g.delivery, NEVER_NANOS, missing);
  for (uint32_t i = 0; i < g.load.message_count; i++) {
    struct message *message = &g.load.messages[i];
    if (!message->settled && in_window(message->intended)) histogram_add(&g.ack, NEVER_NANOS, 1);
  }
}

static uint64_t earliest(uint64_t a, uint64_t b) { return a < b ? a : b; }

void run_open(double rate, double warm_seconds, double seconds) {
  struct load *load = &g.load;
  uint64_t start = now_nanos() + 20 * 1000 * 1000;
  uint64_t total = (uint64_t)(rate * (warm_seconds + seconds) + 0.5), next = 0;
  begin(warm_seconds, seconds, start);
  load->closed_loop = false;
  uint64_t give_up = load->window_to + DRAIN_NANOS;
  for (;;) {
    uint64_t now = now_nanos();
    watch_window(now);
    uint64_t due = 0;
    while (next < total && (due = start + (uint64_t)((double)next * NANOS / rate)) <= now) {
      send_message(g.senders[next % g.sender_count], due);
      next++;
    }
    if (next == total && load->window_done && all_settled()) break;
    if (now > give_up) break;
    uint64_t until = next < total ? due : now + 100 * 1000 * 1000;
    if (!load->window_open) until = earliest(until, load->window_from);
    if (!load->window_done) until = earliest(until, load->window_to);
    turn(until, false);
  }
  finish();
}

void run_closed(uint32_t in_flight, double warm_seconds, double seconds) {
  struct load *load = &g.load;
  uint64_t start = now_nanos();
  begin(warm_seconds, seconds, start);
  load->closed_loop = true;
  retry_size = g.sender_count * in_flight + 1;
  retry_head = retry_tail = 0;
  retries = realloc(retries, retry_size * sizeof *retries);
  if (!retries) fail("memory");
  for (uint32_t round = 0; round < in_flight; round++)
    for (uint32_t i = 0; i < g.sender_count; i++) send_message(g.senders[i], now_nanos());
  uint64_t give_up = load->window_to + DRAIN_NANOS;
  for (;;) {
    uint64_t now = now_nanos();
    watch_window(now);
    while (!load->window_done && retry_head != retry_tail && retries[retry_head % retry_size].due <= now)
      send_message(retries[retry_head++ % retry_size].sender, now);
    if ((load->window_done && all_settled()) || now > give_up) break;
    turn(earliest(now + 10 * 1000 * 1000, load->window_done ? give_up : load->window_to), false);
  }
  finish();
}
