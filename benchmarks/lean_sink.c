/* A lean SMTP sink on loopback: it takes every mail and keeps none. Quicker than any sender it is to measure.
 *
 *     lean_sink [-p] [-c] [-r OCTETS]
 *
 *     -p  do not offer PIPELINING
 *     -c  do not offer CHUNKING
 *     -r  read no more than so many octets at once, to test that it does not matter
 *
 * The port, chosen by the system, is the first line of output. SIGTERM ends it and prints what was taken:
 *     <messages> messages <octets> octets
 *
 * Rules
 * -----
 * 1. A message counts when its reply is written: its last octet, and the dot or the last chunk, have been read.
 * 2. Commands may come in any number and in any pieces (RFC 2920). Replies to one read leave in one write.
 * 3. MAIL, RCPT and DATA are taken in this order only, otherwise 503. A chunk is read whole even if it is refused, for
 *    the octets behind BDAT are never commands (RFC 3030).
 * 4. Whoever sends an endless line, or does not read replies, is hung up on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SIZE "52428800"
#define END "\r\n.\r\n"

enum mode { COMMAND, DATA, CHUNK };
enum step { NO_MAIL, MAIL, RCPT };

struct session {
    int fd;
    enum mode mode;
    enum step step;
    unsigned matched;           /* DATA: how many octets of END the last read ended in */
    unsigned long long chunk;   /* CHUNK: octets still to come */
    int last, refused;          /* CHUNK: whether it ends the message, whether it had no recipient */
    unsigned long long octets;  /* of the message so far */
    size_t held, owed;
    char line[1024];            /* a command that has come in part */
    char replies[8192];
};

static char offers[] = "250-lean\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                       "250 SIZE " MAX_SIZE "\r\n";
static char buffer[1 << 17];
static size_t at_once = sizeof buffer;
static unsigned long long messages, octets;
static volatile sig_atomic_t ended;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void end(int number) {
    (void)number;
    ended = 1;
}

/* ---- what is said ---- */

static int reply(struct session *s, const char *text) {
    size_t size = strlen(text);
    if (s->owed + size > sizeof s->replies) return -1;
    memcpy(s->replies + s->owed, text, size);
    s->owed += size;
    return 0;
}

static int write_replies(struct session *s) {
    ssize_t sent = s->owed ? send(s->fd, s->replies, s->owed, MSG_NOSIGNAL) : 0;
    if (sent != (ssize_t)s->owed) return -1;
    s->owed = 0;
    return 0;
}

static int taken(struct session *s) {
    messages++;
    octets += s->octets;
    s->octets = 0;
    s->step = NO_MAIL;
    return reply(s, "250 2.0.0 Ok\r\n");
}

/* ---- commands ---- */

static int is(const char *line, const char *verb) { return strncasecmp(line, verb, strlen(verb)) == 0; }

static int advance(struct session *s, enum step from, enum step to) {
    if (s->step < from || (to == MAIL && s->step != NO_MAIL)) return reply(s, "503 5.5.1 Bad sequence\r\n");
    s->step = to;
    return reply(s, "250 2.1.0 Ok\r\n");
}

static int start_data(struct session *s) {
    if (s->step != RCPT || s->octets) return reply(s, "503 5.5.1 Bad sequence\r\n");
    s->mode = DATA;
    s->matched = 2; /* the CRLF of DATA itself: a lone dot is an empty message */
    return reply(s, "354 End with a dot\r\n");
}

static int end_chunk(struct session *s) {
    s->mode = COMMAND;
    if (s->refused) return reply(s, "503 5.5.1 No recipient\r\n");
    return s->last ? taken(s) : reply(s, "250 2.0.0 Ok\r\n");
}

static int start_chunk(struct session *s, const char *arguments) {
    char *rest;
    s->chunk = strtoull(arguments, &rest, 10);
    if (rest == arguments) return reply(s, "501 5.5.4 BDAT size [LAST]\r\n");
    s->last = strncasecmp(rest, " LAST", 5) == 0;
    s->refused = s->step != RCPT;
    if (!s->refused) s->octets += s->chunk;
    s->mode = CHUNK;
    return s->chunk ? 0 : end_chunk(s);
}

/* One command, without its line end. -1: hang up. */
static int obey(struct session *s, const char *line) {
    if (is(line, "MAIL FROM:")) return advance(s, NO_MAIL, MAIL);
    if (is(line, "RCPT TO:")) return advance(s, MAIL, RCPT);
    if (is(line, "DATA")) return start_data(s);
    if (is(line, "BDAT ")) return start_chunk(s, line + 5);
    if (is(line, "NOOP")) return reply(s, "250 2.0.0 Ok\r\n");
    if (is(line, "QUIT")) {
        reply(s, "221 2.0.0 Bye\r\n");
        return -1;
    }
    if (is(line, "EHLO ") || is(line, "HELO ") || is(line, "RSET")) {
        s->step = NO_MAIL;
        s->octets = 0;
        return reply(s, is(line, "EHLO ") ? offers : "250 2.0.0 Ok\r\n");
    }
    return reply(s, "500 5.5.2 Unknown command\r\n");
}

/* ---- octets: each of these eats some of `at` … `stop` and returns where it stopped; NULL: hang up ---- */

static const char *eat_line(struct session *s, const char *at, const char *stop) {
    const char *newline = memchr(at, '\n', stop - at);
    size_t size = (newline ? newline + 1 : stop) - at;
    if (s->held + size >= sizeof s->line) return NULL;
    memcpy(s->line + s->held, at, size);
    s->held += size;
    if (!newline) return stop;
    while (s->held && strchr("\r\n", s->line[s->held - 1])) s->held--;
    s->line[s->held] = '\0';
    s->held = 0;
    return obey(s, s->line) < 0 ? NULL : at + size;
}

/* One more octet of END, across reads. A CR is the only octet that can begin it anew. */
static int match(struct session *s, char octet) {
    s->matched = octet == END[s->matched] ? s->matched + 1 : octet == '\r';
    return s->matched == 5;
}

/* Where END is over, or NULL. Lines are looked through with memchr, which is quicker than memmem for all of END. */
static const char *find_end(struct session *s, const char *at, const char *stop) {
    while (s->matched && at < stop)
        if (match(s, *at++)) return at;
    for (const char *lf = at; stop - lf > 3 && (lf = memchr(lf, '\n', stop - lf - 3)); lf++)
        if (lf > at && memcmp(lf - 1, END, 5) == 0) return lf + 4;
    for (at = stop - at > 4 ? stop - 4 : at; at < stop; at++) match(s, *at);
    return NULL;
}

static const char *eat_data(struct session *s, const char *at, const char *stop) {
    const char *over = find_end(s, at, stop);
    s->octets += (over ? over : stop) - at;
    if (!over) return stop;
    s->octets -= 3; /* the dot and its CRLF are not of the message */
    s->mode = COMMAND;
    return taken(s) < 0 ? NULL : over;
}

static const char *eat_chunk(struct session *s, const char *at, const char *stop) {
    unsigned long long here = stop - at;
    if (here < s->chunk) {
        s->chunk -= here;
        return stop;
    }
    at += s->chunk;
    return end_chunk(s) < 0 ? NULL : at;
}

static int eat(struct session *s, const char *at, const char *stop) {
    while (at && at < stop)
        at = s->mode == DATA ? eat_data(s, at, stop) : s->mode == CHUNK ? eat_chunk(s, at, stop) : eat_line(s, at, stop);
    return at ? write_replies(s) : -1;
}

/* ---- sockets ---- */

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

static void watch(int epoll, int fd, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void greet(int epoll, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    struct session *s = fd < 0 ? NULL : calloc(1, sizeof *s);
    if (!s) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->fd = fd;
    reply(s, "220 lean ESMTP\r\n");
    write_replies(s);
    watch(epoll, fd, s);
}

static void serve(struct session *s) {
    ssize_t size = recv(s->fd, buffer, at_once, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size > 0 && eat(s, buffer, buffer + size) == 0) return;
    write_replies(s); /* a farewell, if there is one */
    close(s->fd);
    free(s);
}

static void withdraw(const char *line) {
    char *at = strstr(offers, line), *rest = at + strlen(line);
    memmove(at, rest, strlen(rest) + 1);
}

static void read_options(int count, char **options) {
    for (int option; (option = getopt(count, options, "pcr:")) != -1;) {
        if (option == 'p') withdraw("250-PIPELINING\r\n");
        else if (option == 'c') withdraw("250-CHUNKING\r\n");
        else if (option == 'r') at_once = atoi(optarg);
        else exit(2);
    }
}

int main(int count, char **options) {
    read_options(count, options);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t term, none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL); /* it comes while we wait, and at no other moment */
    signal(SIGTERM, end);
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_on_loopback();
    watch(epoll, listener, NULL);
    while (!ended) {
        struct epoll_event events[64];
        int ready = epoll_pwait(epoll, events, 64, -1, &none);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) serve(events[i].data.ptr);
            else greet(epoll, listener);
        }
    }
    printf("%llu messages %llu octets\n", messages, octets);
    return 0;
}
