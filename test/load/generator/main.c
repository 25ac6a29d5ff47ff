/* Reads the setup file, then obeys commands on stdin; each is answered by one JSON line on stdout.
 *   connect <parallel> <count>              connects until the server's `welcome`
 *   join <parallel>                         joins every open connection's room
 *   open <rate> <warm s> <s>                open-loop load over all senders
 *   closed <in flight> <warm s> <s>         closed-loop load
 * Setup file, one item a line: server <ip> <port> | seed <n> | senders <per room> | sources <first ip> <count> | watch <name> <pid> |
 * room <id> | member <room index> <token>
 */
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PHASE_NANOS (120 * NANOS)

struct generator g;

void fail(const char *what) {
  fprintf(stderr, "generator: %s: %s\n", what, errno ? strerror(errno) : "wrong input");
  exit(1);
}

/* Keeps the first one: it is the cause, the others follow from it. */
void problem(const char *text, size_t length) {
  if (g.first_problem[0] != 0) return;
  size_t size = length < sizeof g.first_problem - 1 ? length : sizeof g.first_problem - 1;
  memcpy(g.first_problem, text, size);
  g.first_problem[size] = 0;
}

static void *grow(void *items, uint32_t count, size_t size) {
  if (count & (count - 1)) return items;
  void *grown = realloc(items, (count == 0 ? 1 : (size_t)count * 2) * size);
  if (!grown) fail("memory");
  return grown;
}

static void add_room(const char *id) {
  g.rooms = grow(g.rooms, g.room_count, sizeof *g.rooms);
  struct room *room = &g.rooms[g.room_count++];
  memset(room, 0, sizeof *room);
  if (strlen(id) != ROOM_ID_LENGTH) fail("room id");
  memcpy(room->id, id, ROOM_ID_LENGTH + 1);
}

static void add_member(char *line) {
  char *token;
  uint32_t room = (uint32_t)strtoul(line, &token, 10);
  if (room >= g.room_count || *token != ' ') fail("member");
  token++;
  g.connections = grow(g.connections, g.connection_count, sizeof *g.connections);
  struct connection *c = &g.connections[g.connection_count++];
  memset(c, 0, sizeof *c);
  c->fd = -1;
  c->room = room;
  c->token_offset = (uint32_t)(token - g.text);
  c->token_length = (uint32_t)strlen(token);
}

static void setup_line(char *line) {
  char word[40], ip[64];
  int number;
  if (sscanf(line, "server %63s %d", g.host, &g.port) == 2) return;
  if (sscanf(line, "seed %u", &g.seed) == 1) return;
  if (sscanf(line, "senders %u", &g.senders_per_room) == 1) return;
  if (sscanf(line, "sources %63s %u", ip, &g.source_count) == 2) {
    struct in_addr address;
    if (inet_pton(AF_INET, ip, &address) != 1) fail("sources");
    g.first_source = ntohl(address.s_addr);
  } else if (sscanf(line, "watch %23s %d", word, &number) == 2) {
    if (g.watched_count == 16) fail("too many processes");
    struct watched *watched = &g.watched[g.watched_count++];
    strcpy(watched->name, word);
    watched->pid = number;
  } else if (strncmp(line, "room ", 5) == 0) {
    add_room(line + 5);
  } else if (strncmp(line, "member ", 7) == 0) {
    add_member(line + 7);
  } else if (line[0] != 0) {
    fail(line);
  }
}

static void read_setup(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  g.text = malloc((size_t)size + 1);
  if (!g.text || fread(g.text, 1, (size_t)size, file) != (size_t)size) fail(path);
  g.text[size] = 0;
  fclose(file);
  char *rest = g.text;
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) setup_line(line);
}

static void choose_senders(void) {
  uint32_t *chosen = calloc(g.room_count ? g.room_count : 1, sizeof *chosen);
  g.senders = malloc((size_t)g.room_count * g.senders_per_room * sizeof *g.senders + 1);
  if (!chosen || !g.senders) fail("memory");
  g.sender_count = g.room_count * g.senders_per_room;
  for (uint32_t i = 0; i < g.connection_count; i++) {
    uint32_t room = g.connections[i].room;
    g.rooms[room].members++;
    if (chosen[room] < g.senders_per_room) g.senders[chosen[room]++ * g.room_count + room] = i;
  }
  for (uint32_t room = 0; room < g.room_count; room++)
    if (chosen[room] < g.senders_per_room) fail("a room has fewer members than senders");
  free(chosen);
}

/* ---- answers ---- */
static void print_histogram(const char *name, const struct histogram *h) {
  printf(",\"%s\":[", name);
  const char *comma = "";
  for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
    if (h->counts[i]) {
      printf("%s[%d,%llu]", comma, i, (unsigned long long)h->counts[i]);
      comma = ",";
    }
  printf("]");
}

static void print_usage(const struct usage *before, const struct usage *after) {
  printf(",\"seconds\":%.6f,\"busy\":%.3f,\"cpu\":{", (double)(after->at - before->at) / NANOS, after->busy - before->busy);
  for (int i = 0; i < g.watched_count; i++)
    printf("\"%s\":%.6f,", g.watched[i].name, (double)(after->process[i] - before->process[i]) / NANOS);
  printf("\"generator\":%.6f}", (double)(after->own - before->own) / NANOS);
}

/* Text of unknown origin inside a JSON string. */
static void print_problem(void) {
  printf(",\"problem\":\"");
  for (const char *p = g.first_problem; *p; p++) {
    if (*p == '"' || *p == '\\') putchar('\\');
    putchar((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e ? ' ' : *p);
  }
  printf("\"");
}

static void end_answer(void) {
  const struct counters *c = &g.counters;
  printf(",\"lost\":%lld,\"duplicated\":%llu,\"misordered\":%llu,\"disagreed\":%llu,\"wrong_room\":%llu,\"closed\":%llu,\"errors\":%llu,"
         "\"unexpected\":%llu",
         (long long)c->lost, (unsigned long long)c->duplicated, (unsigned long long)c->misordered, (unsigned long long)c->disagreed,
         (unsigned long long)c->wrong_room, (unsigned long long)c->closed, (unsigned long long)c->errors, (unsigned long long)c->unexpected);
  print_problem();
  printf("}\n");
  fflush(stdout);
}

static void print_load(void) {
  const struct load *load = &g.load;
  printf("{\"sent\":%llu,\"acked\":%llu,\"refused\":%llu,\"delivered\":%llu", (unsigned long long)g.counters.sent,
         (unsigned long long)g.counters.acked, (unsigned long long)g.counters.refused, (unsigned long long)g.counters.delivered);
  printf(",\"window_acked\":%llu,\"window_delivered\":%llu", (unsigned long long)(load->at_close.acked - load->at_open.acked),
         (unsigned long long)(load->at_close.delivered - load->at_open.delivered));
  print_usage(&load->before, &load->after);
  print_histogram("delivery", &g.delivery);
  print_histogram("ack", &g.ack);
  end_answer();
}

/* ---- commands ---- */
/* Moves connections [from, to) on, at most `parallel` at once, until all have arrived. */
static void phase(void (*start)(struct connection *), uint32_t from, uint32_t to, uint32_t parallel) {
  struct usage before, after;
  memset(&g.counters, 0, sizeof g.counters);
  memset(&g.handshake, 0, sizeof g.handshake);
  g.first_problem[0] = 0;
  g.reached = 0;
  uint32_t next = from;
  take_usage(&before);
  uint64_t give_up = before.at + PHASE_NANOS;
  while (g.reached + g.counters.closed < to - from && g.counters.errors == 0 && now_nanos() < give_up) {
    while (next < to && next - from < g.reached + g.counters.closed + parallel) start(&g.connections[next++]);
    turn(now_nanos() + 100 * 1000 * 1000, false);
  }
  take_usage(&after);
  printf("{\"reached\":%u", g.reached);
  print_usage(&before, &after);
  print_histogram("handshake", &g.handshake);
  end_answer();
}

static void obey(const char *command) {
  static uint32_t connected, joined;
  unsigned parallel, count;
  double rate, warm, seconds;
  if (sscanf(command, "connect %u %u", &parallel, &count) == 2) {
    uint32_t to = connected + count < g.connection_count ? connected + count : g.connection_count;
    phase(connection_start, connected, to, parallel);
    connected = to;
  } else if (sscanf(command, "join %u", &parallel) == 1) {
    phase(send_join, joined, connected, parallel);
    joined = connected;
  } else if (sscanf(command, "open %lf %lf %lf", &rate, &warm, &seconds) == 3) {
    run_open(rate, warm, seconds);
    print_load();
  } else if (sscanf(command, "closed %u %lf %lf", &count, &warm, &seconds) == 3) {
    run_closed(count, warm, seconds);
    print_load();
  } else {
    fail(command);
  }
}

static void obey_commands(void) {
  static char input[4096];
  size_t length = 0;
  for (;;) {
    if (!turn(now_nanos() + NANOS, true)) continue;
    ssize_t received = read(0, input + length, sizeof input - 1 - length);
    if (received <= 0) return;
    length += (size_t)received;
    input[length] = 0;
    for (char *end; (end = strchr(input, '\n'));) {
      *end = 0;
      obey(input);
      length -= (size_t)(end + 1 - input);
      memmove(input, end + 1, length + 1);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: generator SETUP-FILE");
  /* Without it the kernel may wake this thread 50 microseconds late. */
  prctl(PR_SET_TIMERSLACK, 1);
  g.senders_per_room = 1;
  g.epoll = epoll_create1(0);
  read_setup(argv[1]);
  choose_senders();
  struct epoll_event commands = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
  if (epoll_ctl(g.epoll, EPOLL_CTL_ADD, 0, &commands) != 0) fail("stdin must be a pipe");
  obey_commands();
  return 0;
}
