/* A proxy on loopback that makes a network of it: every octet arrives so many microseconds after it left.
 *
 *     delay PORT MICROSECONDS     the delay is each way, half of the round trip
 *
 * The port to connect to, chosen by the system, is the first line of output. SIGTERM ends it.
 *
 * Rules
 * -----
 * 1. What is read gets the moment at which it is due. The delay is the same for all, so what is read first is due
 *    first: one queue serves every connection.
 * 2. The end of a stream waits in the queue as octets do, and is passed on as a half-closed connection.
 * 3. At most MAX_FLIGHT octets are on their way in a direction; then its sender is not read until some have arrived,
 *    as TCP would stop it.
 * The proxy accepts at once, so the handshake itself costs no round trip.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (1 << 17)
#define MAX_FLIGHT (1 << 24)

struct chunk {
    struct chunk *next;
    struct end *to;
    long long due;          /* nanoseconds */
    size_t at, size;        /* size 0: the end of the stream */
    char octets[CHUNK];
};

struct end {                /* one socket of a pair, and what waits to be written to it; fd -1: both are closed */
    int fd;
    int closed;             /* nothing more comes from here */
    int broken;             /* nothing more can be written here */
    int over;               /* the end of the stream has been passed on */
    unsigned interest;
    struct end *peer;
    size_t flight;          /* octets read from the peer and not yet written here */
    struct chunk *first, *last;
};

static int epoll;
static long long delay;
static struct chunk *first, *last, *spare;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void append(struct chunk **head, struct chunk **tail, struct chunk *chunk) {
    chunk->next = NULL;
    if (*head) (*tail)->next = chunk;
    else *head = chunk;
    *tail = chunk;
}

static struct chunk *new_chunk(void) {
    struct chunk *chunk = spare ? spare : malloc(sizeof *chunk);
    if (!chunk) die("malloc");
    if (chunk == spare) spare = spare->next;
    return chunk;
}

/* ---- sockets ---- */

static void want(struct end *e, unsigned interest) {
    struct epoll_event event = {.events = interest, .data.ptr = e};
    if (e->interest != interest) epoll_ctl(epoll, EPOLL_CTL_MOD, e->fd, &event);
    e->interest = interest;
}

/* What an end is watched for now: read it unless too much of it is on its way; write when something is stuck. */
static void rethink(struct end *e) {
    int reading = !e->closed && e->peer->flight < MAX_FLIGHT;
    want(e, (reading ? EPOLLIN : 0u) | (e->first ? EPOLLOUT : 0u));
}

static struct end *new_end(int fd) {
    int on = 1;
    struct end *e = calloc(1, sizeof *e);
    struct epoll_event event = {.events = 0, .data.ptr = e};
    if (!e || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    e->fd = fd;
    return e;
}

static void pair(int listener, struct sockaddr_in *target) {
    int from = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (from < 0 || connect(to, (void *)target, sizeof *target) < 0) {
        close(from);
        close(to);
        return;
    }
    struct end *a = new_end(from), *b = new_end(to);
    a->peer = b;
    b->peer = a;
    rethink(a);
    rethink(b);
}

/* ---- octets ---- */

static void take(struct end *e) {
    struct chunk *chunk = new_chunk();
    ssize_t size = recv(e->fd, chunk->octets, CHUNK, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) {
        chunk->next = spare;
        spare = chunk;
        return;
    }
    chunk->at = 0;
    chunk->size = size > 0 ? size : 0;
    chunk->to = e->peer;
    chunk->due = now() + delay;
    e->closed = size <= 0;
    e->peer->flight += chunk->size;
    append(&first, &last, chunk);
    rethink(e);
}

/* Whether a chunk is done with: written, or its stream is broken and takes nothing more. */
static int put(struct end *e, struct chunk *chunk) {
    ssize_t sent = 0;
    size_t left = chunk->size - chunk->at;
    if (left && !e->broken) sent = send(e->fd, chunk->octets + chunk->at, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    e->broken |= sent < 0 && errno != EAGAIN;
    if (sent > 0) chunk->at += sent;
    return e->broken || chunk->at == chunk->size;
}

/* Pass on the end of a stream; the second one of a pair closes both. Ends are few and small: none is freed. */
static void finish(struct end *e) {
    e->over = 1;
    shutdown(e->fd, SHUT_WR);
    if (!e->peer->over) return;
    close(e->fd);
    close(e->peer->fd);
    e->fd = e->peer->fd = -1;
}

/* Write what has arrived here. */
static void flush(struct end *e) {
    while (e->first && put(e, e->first)) {
        struct chunk *done = e->first;
        e->flight -= done->size;
        e->first = done->next;
        done->next = spare;
        spare = done;
        if (!done->size) finish(e);
    }
    if (e->fd < 0) return;
    rethink(e);
    rethink(e->peer);
}

static void deliver(void) {
    for (long long moment = now(); first && first->due <= moment;) {
        struct chunk *chunk = first;
        struct end *e = chunk->to;
        first = chunk->next;
        append(&e->first, &e->last, chunk);
        flush(e);
    }
}

static void handle(struct end *e, unsigned events) {
    if (e->fd < 0) return;
    if (events & EPOLLIN || (events & (EPOLLHUP | EPOLLERR) && !e->closed)) take(e);
    else if (events & (EPOLLHUP | EPOLLERR)) { /* said again and again to whoever listens */
        e->broken = 1;
        epoll_ctl(epoll, EPOLL_CTL_DEL, e->fd, NULL);
    }
    if (events & EPOLLOUT) flush(e);
}

static int wait_for(struct epoll_event *events, int room) {
    long long left = first ? first->due - now() : 0;
    struct timespec time = {.tv_nsec = left > 0 ? left % 1000000000 : 0, .tv_sec = left > 0 ? left / 1000000000 : 0};
    return epoll_pwait2(epoll, events, room, first ? &time : NULL, NULL);
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&address, size) < 0 || listen(fd, 512) < 0) die("listen");
    if (getsockname(fd, (void *)&address, &size) < 0) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: delay PORT MICROSECONDS\n"), 2;
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    target.sin_port = htons(atoi(arguments[1]));
    delay = atoll(arguments[2]) * 1000;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on_loopback();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
    for (;;) {
        struct epoll_event events[64];
        int ready = wait_for(events, 64);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) handle(events[i].data.ptr, events[i].events);
            else pair(listener, &target);
        }
        deliver();
    }
}
