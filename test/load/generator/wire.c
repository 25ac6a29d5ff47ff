/* Sockets: connecting from several loopback addresses, the WebSocket handshake, framing in both directions. */
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define EVENTS_MAX 512
#define READ_SIZE (256 * 1024)
#define STDIN_MARK UINT32_MAX

static void watch(struct connection *c, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(c - g.connections)};
  if (epoll_ctl(g.epoll, operation, c->fd, &event) != 0) fail("epoll_ctl");
}

void connection_close(struct connection *c, const char *why) {
  if (c->state == CLOSED) return;
  c->state = CLOSED;
  g.counters.closed++;
  problem(why, strlen(why));
  close(c->fd);
}

static void write_all(struct connection *c, const char *data, size_t length) {
  ssize_t written = send(c->fd, data, length, MSG_NOSIGNAL);
  /* What is sent here is small against a socket's buffer; a full one means that the server does not read. */
  if (written != (ssize_t)length) connection_close(c, "the server does not read what is sent");
}

/* Server frames must be masked by a client; a key of zero is a valid key and leaves the text as it is. */
void send_frame(struct connection *c, int opcode, const char *payload, size_t length) {
  char frame[1024];
  size_t at = 0;
  if (length + 8 > sizeof frame) fail("frame too long");
  frame[at++] = (char)(0x80 | opcode);
  if (length < 126) {
    frame[at++] = (char)(0x80 | length);
  } else {
    frame[at++] = (char)(0x80 | 126);
    frame[at++] = (char)(length >> 8);
    frame[at++] = (char)length;
  }
  memset(frame + at, 0, 4);
  memcpy(frame + at + 4, payload, length);
  write_all(c, frame, at + 4 + length);
}

void send_text(struct connection *c, const char *text, size_t length) { send_frame(c, 1, text, length); }

static void send_upgrade(struct connection *c) {
  char request[4096];
  int length = snprintf(request, sizeof request,
                        "GET /api/ws?token=%.*s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        (int)c->token_length, g.text + c->token_offset, g.host, g.port);
  if (length < 0 || (size_t)length >= sizeof request) fail("token too long");
  c->state = UPGRADING;
  write_all(c, request, (size_t)length);
}

/* One address has about 28,000 ports; a port is chosen only at connect, so that each address can use all of them for this server. */
static void bind_source(int fd, uint32_t index) {
  if (g.source_count == 0) return;
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(g.first_source + index % g.source_count)};
  if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) fail("bind to a loopback address");
}

void connection_start(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket (is the limit on open files too low?)");
  bind_source(c->fd, (uint32_t)(c - g.connections));
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* Ends with a reset: no port stays in TIME_WAIT for the next measurement. */
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)g.port)};
  if (inet_pton(AF_INET, g.host, &server.sin_addr) != 1) fail("host is not an IPv4 address");
  c->started_at = now_nanos();
  c->state = CONNECTING;
  if (connect(c->fd, (struct sockaddr *)&server, sizeof server) == 0) {
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
    send_upgrade(c);
  } else if (errno == EINPROGRESS) {
    watch(c, EPOLLOUT, EPOLL_CTL_ADD);
  } else {
    fail("connect");
  }
}

/* Returns how many bytes of the answer to the upgrade were used; 0: it is not complete. */
static size_t read_upgrade(struct connection *c, const char *data, size_t length) {
  const char *end = memmem(data, length, "\r\n\r\n", 4);
  if (!end) return 0;
  if (length < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0) {
    problem(data, length);
    connection_close(c, "the upgrade was refused");
    return length;
  }
  c->state = WELCOMING;
  return (size_t)(end + 4 - data);
}

/* Returns how many bytes the frame at `data` has; 0: it is not complete. */
static size_t read_frame(struct connection *c, const char *data, size_t length, uint64_t now) {
  const unsigned char *header = (const unsigned char *)data;
  if (length < 2) return 0;
  size_t size = header[1] & 0x7f, at = 2;
  if (size == 126) {
    if (length < 4) return 0;
    size = (size_t)header[2] << 8 | header[3];
    at = 4;
  } else if (size == 127) {
    if (length < 10) return 0;
    size = 0;
    for (int i = 2; i < 10; i++) size = size << 8 | header[i];
    at = 10;
  }
  if (length < at + size) return 0;
  switch (header[0] & 0x0f) {
    case 1: receive_text(c, data + at, size, now); break;
    case 8: connection_close(c, "closed by the server"); break;
    case 9: send_frame(c, 10, data + at, size); break;
    default: break;
  }
  return at + size;
}

static void keep(struct connection *c, const char *rest, size_t length) {
  if (length > c->carry_size) {
    c->carry_size = (uint32_t)(length < 1024 ? 1024 : length * 2);
    char *grown = realloc(NULL, c->carry_size);
    if (!grown) fail("memory");
    memcpy(grown, rest, length);
    free(c->carry);
    c->carry = grown;
  } else {
    memmove(c->carry, rest, length);
  }
  c->carried = (uint32_t)length;
}

static void readable(struct connection *c) {
  static char buffer[READ_SIZE * 2];
  size_t length = c->carried;
  if (length > READ_SIZE) fail("frame too long");
  if (length > 0) memcpy(buffer, c->carry, length);
  ssize_t received = recv(c->fd, buffer + length, READ_SIZE, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) return connection_close(c, received == 0 ? "ended by the server" : strerror(errno));
  uint64_t now = now_nanos();
  length += (size_t)received;
  size_t at = 0;
  while (at < length && c->state != CLOSED) {
    size_t used = c->state == UPGRADING ? read_upgrade(c, buffer + at, length - at) : read_frame(c, buffer + at, length - at, now);
    if (used == 0) break;
    at += used;
  }
  if (c->state == CLOSED) return;
  if (at < length) keep(c, buffer + at, length - at);
  else c->carried = 0;
}

bool turn(uint64_t deadline, bool with_stdin) {
  static struct epoll_event events[EVENTS_MAX];
  uint64_t now = now_nanos();
  uint64_t wait = deadline > now ? deadline - now : 0;
  struct timespec timeout = {.tv_sec = (time_t)(wait / NANOS), .tv_nsec = (long)(wait % NANOS)};
  int count = epoll_pwait2(g.epoll, events, EVENTS_MAX, &timeout, NULL);
  bool command = false;
  for (int i = 0; i < count; i++) {
    if (events[i].data.u32 == STDIN_MARK) {
      command = true;
      continue;
    }
    struct connection *c = &g.connections[events[i].data.u32];
    if (c->state == CLOSED) continue;
    if (c->state == CONNECTING) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        connection_close(c, strerror(error));
        continue;
      }
      watch(c, EPOLLIN, EPOLL_CTL_MOD);
      send_upgrade(c);
    } else {
      readable(c);
    }
  }
  return command && with_stdin;
}
