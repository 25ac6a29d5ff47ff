# A TCP proxy that makes a loopback connection behave as one over a network: the server's segments hold 1,448 bytes instead of 64 KiB (the
# size decides how much a kernel takes from a writer), what it sends arrives after a delay, and no more than a window of it is on the way.
# Perl, because Node cannot set TCP_MAXSEG, and because every Debian has it (perl-base is essential there).
#
#   perl ordinary-link.pl SERVER_PORT DELAY_MS WINDOW_BYTES      prints its own port; ends when its stdin ends
use strict;
use warnings;
use Errno qw(EAGAIN EWOULDBLOCK EINPROGRESS EINTR);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Handle;
use Socket qw(AF_INET SOCK_STREAM INADDR_LOOPBACK IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_SNDBUF SOMAXCONN pack_sockaddr_in unpack_sockaddr_in);
use Time::HiRes qw(time);

use constant { TCP_MAXSEG => 2, SEGMENT => 1448, PIECE => 65536 };

my ($server_port, $delay_ms, $window) = @ARGV;
my $delay = $delay_ms / 1000;
$SIG{PIPE} = 'IGNORE';

socket(my $listener, AF_INET, SOCK_STREAM, 0) or die $!;
bind($listener, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die $!;
listen($listener, SOMAXCONN) or die $!;
STDOUT->autoflush(1);
print +(unpack_sockaddr_in(getsockname $listener))[0], "\n";

# near: the client, far: the server; up: bytes for the server; down: [due, bytes] for the client; flight: bytes of down
my %pairs;

sub nonblocking { my ($handle) = @_; fcntl($handle, F_SETFL, fcntl($handle, F_GETFL, 0) | O_NONBLOCK) or die $! }

sub accept_pair {
    accept(my $near, $listener) or return;
    socket(my $far, AF_INET, SOCK_STREAM, 0) or die $!;
    setsockopt($far, IPPROTO_TCP, TCP_MAXSEG, pack('i', SEGMENT)) or die $!;
    setsockopt($near, SOL_SOCKET, SO_SNDBUF, pack('i', PIECE)) or die $!;
    nonblocking($_) for $near, $far;
    connect($far, pack_sockaddr_in($server_port, INADDR_LOOPBACK)) or $! == EINPROGRESS or die $!;
    setsockopt($_, IPPROTO_TCP, TCP_NODELAY, pack('i', 1)) for $near, $far;
    $pairs{fileno $near} = { near => $near, far => $far, up => '', down => [], flight => 0, ended => 0 };
}

sub again { $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR || $! == EINPROGRESS }

# Returns false when the pair is over.
sub step {
    my ($pair, $readable, $writable, $now) = @_;
    if (vec($readable, fileno $pair->{near}, 1)) {
        my $got = sysread($pair->{near}, $pair->{up}, PIECE, length $pair->{up});
        return 0 if defined $got ? $got == 0 : !again();
    }
    if (length $pair->{up}) {
        my $put = syswrite($pair->{far}, $pair->{up});
        return 0 if !defined $put && !again();
        substr($pair->{up}, 0, $put) = '' if $put;
    }
    if (vec($readable, fileno $pair->{far}, 1)) {
        my $got = sysread($pair->{far}, my $bytes, PIECE);
        if ($got) { push @{ $pair->{down} }, [$now + $delay, $bytes]; $pair->{flight} += $got }
        elsif (defined $got || !again()) { $pair->{ended} = 1 }
    }
    while (my $first = $pair->{down}[0]) {
        last if $first->[0] > $now;
        my $put = syswrite($pair->{near}, $first->[1]);
        if (!defined $put) { return 0 if !again(); last }
        $pair->{flight} -= $put;
        if ($put < length $first->[1]) { substr($first->[1], 0, $put) = ''; last }
        shift @{ $pair->{down} };
    }
    return !$pair->{ended} || @{ $pair->{down} } > 0;
}

while (1) {
    my ($reads, $writes, $now, $wait) = ('', '', time, 1);
    vec($reads, fileno $_, 1) = 1 for $listener, \*STDIN;
    for my $pair (values %pairs) {
        vec($reads, fileno $pair->{near}, 1) = 1 if length $pair->{up} < PIECE;
        vec($reads, fileno $pair->{far}, 1) = 1 if !$pair->{ended} && $pair->{flight} < $window;
        vec($writes, fileno $pair->{far}, 1) = 1 if length $pair->{up};
        my $first = $pair->{down}[0] or next;
        if ($first->[0] <= $now) { vec($writes, fileno $pair->{near}, 1) = 1 }
        elsif ($first->[0] - $now < $wait) { $wait = $first->[0] - $now }
    }
    my $ready = select(my $readable = $reads, my $writable = $writes, undef, $wait);
    next if $ready < 0;
    exit 0 if vec($readable, fileno STDIN, 1) && !sysread(STDIN, my $ignored, PIECE);
    accept_pair() if vec($readable, fileno $listener, 1);
    $now = time;
    for my $key (keys %pairs) {
        next if step($pairs{$key}, $readable, $writable, $now);
        my $pair = delete $pairs{$key};
        close $_ for $pair->{near}, $pair->{far};
    }
}
