/* What a received text frame means. Fields are found by their names, first where the last frame had them: all frames of one kind
 * have nearly the same layout. Every delivery is checked, none is only counted. */
#include "generator.h"
#include <stdio.h>
#include <string.h>

/* When a refusal names no time. */
#define RETRY_MILLIS 250ull

struct field {
  const char *name;
  size_t length;
  size_t hint; /* offset at which the last frame had it */
};
#define FIELD(text) {.name = text, .length = sizeof(text) - 1}

static struct field seq_field = FIELD("\"seq\":"), content_field = FIELD("\"content\":\""), room_field = FIELD("\"room_id\":\""),
                    joined_seq_field = FIELD("\"seq\":"), ack_seq_field = FIELD("\"seq\":"), ack_id_field = FIELD("\"client_msg_id\":\""),
                    retry_field = FIELD("\"retry_after_ms\":");

/* The value's first character, or NULL. */
static const char *find(struct field *field, const char *text, size_t length) {
  size_t at = field->hint;
  if (at + field->length <= length && memcmp(text + at, field->name, field->length) == 0) return text + at + field->length;
  const char *found = memmem(text, length, field->name, field->length);
  if (!found) return NULL;
  field->hint = (size_t)(found - text);
  return found + field->length;
}

static uint64_t decimal(const char *text) {
  uint64_t value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (uint64_t)(*text++ - '0');
  return value;
}

static uint64_t hexadecimal(const char *text, int digits) {
  uint64_t value = 0;
  for (int i = 0; i < digits; i++) {
    unsigned c = (unsigned char)text[i];
    value = value << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

static bool is(const char *text, size_t length, const char *type) {
  size_t size = strlen(type);
  return length > 9 + size && memcmp(text + 9, type, size) == 0 && text[9 + size] == '"';
}

/* In order, each once: the next seq. Anything else is a fault of some kind. */
static bool check_seq(struct connection *c, uint64_t seq) {
  if (seq == c->last_seq + 1) {
    c->last_seq = seq;
    c->seen = c->seen << 1 | 1;
    return true;
  }
  if (seq > c->last_seq) {
    uint64_t step = seq - c->last_seq;
    g.counters.lost += step - 1;
    c->seen = step < 64 ? c->seen << step | 1 : 1;
    c->last_seq = seq;
    return true;
  }
  uint64_t age = c->last_seq - seq;
  if (age < 64 && !(c->seen >> age & 1)) {
    c->seen |= 1ull << age;
    g.counters.misordered++;
    g.counters.lost--;
    return true;
  }
  g.counters.duplicated++;
  return false;
}

/* A seq of a room is the same message for everybody. */
static void check_agreement(struct room *room, uint64_t seq, uint32_t message) {
  unsigned place = seq & (AGREEMENT_RING - 1);
  if (room->ring_seq[place] == seq) {
    if (room->ring_message[place] != message) g.counters.disagreed++;
  } else if (seq > room->ring_seq[place]) {
    room->ring_seq[place] = seq;
    room->ring_message[place] = message;
  }
}

static void delivery(struct connection *c, const char *text, size_t length, uint64_t now) {
  struct room *room = &g.rooms[c->room];
  const char *room_id = find(&room_field, text, length);
  const char *seq_text = find(&seq_field, text, length);
  const char *content = find(&content_field, text, length);
  if (!room_id || !seq_text || !content || content + 26 > text + length) {
    g.counters.unexpected++;
    return problem(text, length);
  }
  if (memcmp(room_id, room->id, ROOM_ID_LENGTH) != 0) {
    g.counters.wrong_room++;
    return;
  }
  uint64_t seq = decimal(seq_text);
  /* content: t<16 digits of the intended time>n<8 digits of the message's number> */
  uint64_t intended = hexadecimal(content + 1, 16);
  check_agreement(room, seq, (uint32_t)hexadecimal(content + 18, 8));
  if (!check_seq(c, seq)) return;
  g.counters.delivered++;
  if (intended >= g.load.window_from && intended < g.load.window_to) histogram_add(&g.delivery, (int64_t)(now - intended), 1);
}

/* client_msg_id: <8 digits of the seed>-<4 of the run>-<8 of the message's number> */
static void answer(const char *text, size_t length, bool stored, uint64_t now) {
  uint64_t again_at = now;
  const char *id = find(&ack_id_field, text, length);
  if (!id || id + 22 > text + length || hexadecimal(id + 9, 4) != (g.load.run & 0xffff)) return;
  uint32_t number = (uint32_t)hexadecimal(id + 14, 8);
  if (number >= g.load.message_count) return;
  struct message *message = &g.load.messages[number];
  if (stored) {
    struct room *room = &g.rooms[g.connections[message->sender].room];
    const char *seq_text = find(&ack_seq_field, text, length);
    uint64_t seq = seq_text ? decimal(seq_text) : 0;
    if (seq > room->acked_head) room->acked_head = seq;
  } else {
    /* A refusal says when to try again; a client that does not listen makes the overload worse. */
    const char *wait = find(&retry_field, text, length);
    again_at += (wait ? decimal(wait) : RETRY_MILLIS) * 1000000ull;
  }
  settled(number, stored, again_at);
}

void send_join(struct connection *c) {
  char text[128];
  int length = snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room_id\":\"%s\"}", g.rooms[c->room].id);
  c->state = JOINING;
  send_text(c, text, (size_t)length);
}

static void joined(struct connection *c, const char *text, size_t length) {
  const char *seq = find(&joined_seq_field, text, length);
  if (c->state != JOINING) return;
  c->last_seq = seq ? decimal(seq) : 0;
  c->seen = ~0ull;
  c->state = JOINED;
  if (c->last_seq > g.rooms[c->room].acked_head) g.rooms[c->room].acked_head = c->last_seq;
  g.reached++;
}

void receive_text(struct connection *c, const char *text, size_t length, uint64_t now) {
  if (is(text, length, "message")) return delivery(c, text, length, now);
  if (is(text, length, "ack")) return answer(text, length, true, now);
  if (is(text, length, "joined")) return joined(c, text, length);
  if (is(text, length, "welcome")) {
    if (c->state != WELCOMING) return;
    c->state = OPEN;
    g.reached++;
    histogram_add(&g.handshake, (int64_t)(now - c->started_at), 1);
    return;
  }
  if (is(text, length, "error") || is(text, length, "rate_limit_exceeded")) {
    g.counters.errors++;
    problem(text, length);
    answer(text, length, false, now);
  }
  /* presence, typing and the like: costs of the server that no check here needs */
}

/* Messages that were acked and that a joined socket has not got. */
uint64_t count_missing(void) {
  uint64_t missing = 0;
  for (uint32_t i = 0; i < g.connection_count; i++) {
    struct connection *c = &g.connections[i];
    uint64_t head = g.rooms[c->room].acked_head;
    if (c->state == JOINED && c->last_seq < head) missing += head - c->last_seq;
  }
  return missing;
}
