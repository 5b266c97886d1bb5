/* Clients that pause: each opens a connection, sends one request, reads until the server closes, and does nothing for
 * some milliseconds before the next one. usage: paced PORT CLIENTS PAUSE-MS SECONDS REQUEST-FILE
 * wrk cannot pause between connections, and looks at all its timers in each step. Here the clients that pause are a
 * queue, since each pauses equally long. It prints one line of JSON, as replay.lua does; a response is right if its
 * status is 200. The clients begin one after another within the first pause. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct { int fd; uint64_t since; size_t received; } Client; /* since: when it began to connect */
typedef struct { uint64_t due; int client; } Pause;
enum { SAMPLES = 1 << 22 };
static uint32_t times[SAMPLES]; /* microseconds from connect() to the end of the response */
static uint64_t requests, bytes, failed_connect, failed_read, failed_write, failed_status;
static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[4096];
static size_t request_size, first, last, places; /* the queue of pauses: from first to last, in a ring */
static Client *clients;
static Pause *pauses;
static int poller;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void wait_until(int client, uint64_t due) { pauses[last++ % places] = (Pause){due, client}; }

static int begin(int index) {
    Client *client = &clients[index];
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)index};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    client->since = now();
    client->received = 0;
    if (client->fd < 0 || (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS))
        return -1;
    return epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
}

static int proceed(Client *client, uint32_t events, int *sent) { /* 1: it has its response; -1: it failed */
    char piece[65536];
    if (events & EPOLLOUT && !*sent) {
        *sent = 1;
        if (send(client->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) return failed_write++, -1;
    }
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return 0;
    for (;;) {
        ssize_t got = recv(client->fd, piece, sizeof piece, 0);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got < 0 || (got == 0 && client->received == 0)) return failed_read++, -1;
        if (got == 0) return 1;
        if (client->received == 0 && (got < 12 || memcmp(piece + 8, " 200", 4))) failed_status++;
        client->received += (size_t)got;
    }
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    if (count != 6) return 2;
    int number = atoi(words[2]), file = open(words[5], O_RDONLY);
    uint64_t pause = (uint64_t)atoi(words[3]) * 1000, start = now(), end = start + (uint64_t)atoi(words[4]) * 1000000;
    ssize_t size = read(file, request, sizeof request);
    if (number < 1 || size < 1) return 2;
    request_size = (size_t)size;
    places = (size_t)number;
    clients = calloc(places, sizeof *clients);
    pauses = calloc(places, sizeof *pauses);
    char *sent_by = calloc(places, 1);
    server.sin_port = htons((uint16_t)atoi(words[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(0);
    for (int i = 0; i < number; i++) wait_until(i, start + pause * (uint64_t)i / (uint64_t)number);
    uint64_t moment = start;
    for (struct epoll_event ready[256]; moment < end; moment = now()) {
        while (first < last && pauses[first % places].due <= moment) {
            int index = pauses[first++ % places].client;
            sent_by[index] = 0;
            if (begin(index)) {
                failed_connect++;
                close(clients[index].fd);
                wait_until(index, moment + pause);
            }
        }
        int many = epoll_wait(poller, ready, 256, first < last ? 1 : 10);
        for (int i = 0; i < many; i++) {
            int index = (int)ready[i].data.u32, sent = sent_by[index];
            Client *client = &clients[index];
            int done = proceed(client, ready[i].events, &sent);
            sent_by[index] = (char)sent;
            if (!done) continue;
            moment = now();
            if (done > 0) {
                times[requests++ % SAMPLES] = (uint32_t)(moment - client->since);
                bytes += client->received;
            }
            close(client->fd);
            wait_until(index, moment + pause);
        }
    }
    size_t samples = requests < SAMPLES ? requests : SAMPLES;
    qsort(times, samples, sizeof *times, compare);
    printf("{\"requests\": %llu, \"microseconds\": %llu, \"bytes\": %llu, \"p50_us\": %u, \"p99_us\": %u, \"errors\": "
           "{\"connect\": %llu, \"read\": %llu, \"write\": %llu, \"status\": %llu, \"timeout\": 0}}\n",
           (unsigned long long)requests, (unsigned long long)(moment - start), (unsigned long long)bytes,
           times[samples / 2], times[samples * 99 / 100], (unsigned long long)failed_connect,
           (unsigned long long)failed_read, (unsigned long long)failed_write, (unsigned long long)failed_status);
    return 0;
}
