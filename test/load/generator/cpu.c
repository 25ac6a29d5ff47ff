/* CPU time of the watched processes, all threads, in nanoseconds: the process clock of the kernel is exact where /proc/<pid>/stat
 * counts ticks of 10 ms. The busy time of the whole machine tells whether somebody else disturbs the measurement. */
#include "generator.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t now_nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * NANOS + (uint64_t)t.tv_nsec;
}

static uint64_t clock_nanos(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) != 0) return 0;
  return (uint64_t)t.tv_sec * NANOS + (uint64_t)t.tv_nsec;
}

static double busy_seconds(void) {
  unsigned long long user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return 0;
  int read = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal);
  fclose(file);
  return read < 7 ? 0 : (double)(user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK);
}

void take_usage(struct usage *usage) {
  usage->at = now_nanos();
  for (int i = 0; i < g.watched_count; i++) {
    clockid_t clock;
    usage->process[i] = clock_getcpuclockid(g.watched[i].pid, &clock) == 0 ? clock_nanos(clock) : 0;
  }
  usage->own = clock_nanos(CLOCK_PROCESS_CPUTIME_ID);
  usage->busy = busy_seconds();
}
