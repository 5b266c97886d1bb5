/* The floor: what the kernel alone asks for one answer. usage: floor PORT ANSWER-FILE
 * One thread, level-triggered epoll on 127.0.0.1; whatever is asked, the bytes of ANSWER-FILE go out. It parses
 * nothing, opens nothing, logs nothing and checks nothing, so no real server can be cheaper. If the answer says
 * "Connection: close", it closes after each one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536 };
static char *answer;
static size_t size, left[MOST]; /* left[fd]: bytes of the answer still to be sent */
static int poller, closing;

static void watch(int fd, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, operation, fd, &event)) exit(3);
}

static int send_rest(int fd, int waited) { /* -1: the connection is over */
    while (left[fd]) {
        ssize_t sent = send(fd, answer + size - left[fd], left[fd], MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return -1;
        if (sent < 0) { if (!waited) watch(fd, EPOLL_CTL_MOD, EPOLLOUT); return 0; }
        left[fd] -= (size_t)sent;
    }
    if (waited && !closing) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    return closing ? -1 : 0;
}

static int receive(int fd) {
    char head[16384];
    ssize_t got = recv(fd, head, sizeof head, 0);
    if (got <= 0) return -1;
    if (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4)) return 0;
    left[fd] = size;
    return send_rest(fd, 0);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    int file = open(words[2], O_RDONLY), one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    size = (size_t)lseek(file, 0, SEEK_END);
    answer = malloc(size);
    if (pread(file, answer, size, 0) != (ssize_t)size) return 2;
    closing = memmem(answer, size, "\r\nConnection: close\r\n", 21) != NULL;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 2048)) return 2;
    poller = epoll_create1(0);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (struct epoll_event ready[256];;) {
        int many = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < many; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (peer >= MOST) close(peer); else if (peer >= 0) left[peer] = 0, watch(peer, EPOLL_CTL_ADD, EPOLLIN);
            } else if ((left[fd] ? send_rest(fd, 1) : receive(fd)) < 0) close(fd);
        }
    }
}
