# The SMSC on Net::SMPP (Debian's libnet-smpp-perl), as a program: JSON lines in and out (see smsc.py).
use strict;
use warnings;

use IO::Select;
use JSON::PP;
use Net::SMPP;
use Time::HiRes qw(time);

use constant {
    OUT_OF_ORDER_WAIT_S => 0.05,    # answers that gather for this long are given in reverse,
    LONE_WAIT_S => 1,               # and a lone one waits so long for a second
    LINE_BYTES => 65_536,
    SHORT_CODE => 3,                # type of number
};

$| = 1;
$SIG{PIPE} = 'IGNORE';

# The library tells standard error of every connection that ends.
$SIG{__WARN__} = sub { print STDERR $_[0] unless $_[0] =~ /premature eof|error reading header/ };

my $json = JSON::PP->new->canonical;
my $select = IO::Select->new(\*STDIN);
my $listener;
my %sessions;    # by file number: name, socket, whether it receives, id of the test by sequence
my %how;
my @held;        # answers that are given in reverse
my @timers;      # [when, work]
my ($message_ids, $session_ids, $typed) = (0, 0, '');
my %tlv_names = reverse %Net::SMPP::param_by_name;

sub say_ { print $json->encode({@_}), "\n" }

sub later {
    my ($delay_s, $work) = @_;
    @timers = sort { $a->[0] <=> $b->[0] } @timers, [time + $delay_s, $work];
}

sub answer_held {
    my @now = reverse splice @held;
    $_->() for @now;
}

sub answer_later {
    my ($answer) = @_;
    if ($how{out_of_order}) {
        push @held, $answer;
        return if @held > 2;
        @timers = grep { $_->[1] != \&answer_held } @timers;
        later(@held == 1 ? LONE_WAIT_S : OUT_OF_ORDER_WAIT_S, \&answer_held);
    }
    elsif ($how{answer_delay_ms}) { later($how{answer_delay_ms} / 1000, $answer) }
    else { $answer->() }
}

sub submitted {
    my ($session, $pdu) = @_;
    my $message_id = sprintf '%x', ++$message_ids;
    my $throttled = ($how{throttle_next} || 0) > 0;
    $how{throttle_next}-- if $throttled;
    my $silent = !$throttled && $how{no_answer};
    my $status = $throttled ? 0 + $how{throttle_status} : $silent ? undef : 0;
    my $body = length $pdu->{short_message} ? $pdu->{short_message} : $pdu->{message_payload} // '';
    say_(
        event => 'submitted',
        source => "$pdu->{source_addr}",
        destination => "$pdu->{destination_addr}",
        body => unpack('H*', $body),
        (map { $_ => 0 + $pdu->{$_} } qw(data_coding esm_class registered_delivery)),
        message_id => $message_id,
        status => $status,
    );

    # After the journal: what was answered and then killed must stand in it.
    my ($socket, $seq) = ($session->{socket}, $pdu->{seq});
    if ($throttled) { $socket->submit_sm_resp(seq => $seq, status => $status, message_id => '') }
    elsif (!$silent) {
        answer_later(sub { $socket->submit_sm_resp(seq => $seq, message_id => $message_id) if $socket->opened });
    }
}

sub bound {
    my ($session, $pdu, $receives, $answer) = @_;
    $session->{socket}->$answer(seq => $pdu->{seq}, system_id => 'perl');
    $session->{name} = 'perl-' . ++$session_ids;
    $session->{receives} = $receives;
    say_(event => 'bound', session => $session->{name}, receives => $receives ? JSON::PP::true : JSON::PP::false);
}

sub ended {
    my ($session) = @_;
    delete $sessions{fileno $session->{socket}};
    $select->remove($session->{socket});
    close $session->{socket};
    say_(event => 'delivered', id => $_, status => undef) for values %{ $session->{waiting} };
    say_(event => 'unbound', session => $session->{name}) if $session->{name};
}

my %took = (
    Net::SMPP::CMD_bind_transceiver() => sub { bound(@_, 1, 'bind_transceiver_resp') },
    Net::SMPP::CMD_bind_receiver() => sub { bound(@_, 1, 'bind_receiver_resp') },
    Net::SMPP::CMD_bind_transmitter() => sub { bound(@_, 0, 'bind_transmitter_resp') },
    Net::SMPP::CMD_enquire_link() => sub { $_[0]{socket}->enquire_link_resp(seq => $_[1]{seq}) },
    Net::SMPP::CMD_submit_sm() => \&submitted,
    Net::SMPP::CMD_deliver_sm_resp() => sub {
        my $id = delete $_[0]{waiting}{ $_[1]{seq} };
        say_(event => 'delivered', id => $id, status => $_[1]{status}) if defined $id;
    },
    Net::SMPP::CMD_unbind() => sub {
        $_[0]{socket}->unbind_resp(seq => $_[1]{seq});
        ended($_[0]);
    },
    Net::SMPP::CMD_unbind_resp() => sub { ended($_[0]) },
);

sub heard {
    my ($session) = @_;
    my $pdu = $session->{socket}->read_pdu;
    return ended($session) if !defined $pdu;
    my $take = $took{ $pdu->{cmd} };
    if ($take) { $take->($session, $pdu) }
    elsif (!($pdu->{cmd} & 0x80000000)) { $session->{socket}->generic_nack(seq => $pdu->{seq}, status => 3) }
}

sub deliver {
    my ($command) = @_;
    my ($last) = sort { $b->{order} <=> $a->{order} } grep { $_->{receives} } values %sessions;
    return say_(event => 'delivered', id => $command->{id}, status => undef) if !$last;
    my @tlvs = map { ($tlv_names{ $_->[0] } => pack 'H*', $_->[1]) } @{ $command->{tlvs} };
    my $seq = $last->{socket}->deliver_sm(
        async => 1,
        source_addr => $command->{source},
        source_addr_ton => $command->{source_ton},
        source_addr_npi => $command->{source_npi},
        destination_addr => $command->{destination},
        dest_addr_ton => SHORT_CODE,
        short_message => pack('H*', $command->{body}),
        data_coding => $command->{data_coding},
        esm_class => $command->{esm_class},
        @tlvs,
    );
    $last->{waiting}{$seq} = $command->{id};
}

my %obey = (
    listen => sub {
        $listener = Net::SMPP->new_listen('127.0.0.1', port => $_[0]{port}, enquire_interval => 0, listen => 20)
            or die "cannot listen: $!";
        $select->add($listener);
        say_(event => 'listening', port => $listener->sockport);
    },
    behave => sub { %how = %{ $_[0] } },
    deliver => \&deliver,
    unbind => sub { $_->{socket}->unbind(async => 1) for values %sessions },
);

my $orders = 0;

sub readable {
    my ($handle) = @_;
    if ($handle == \*STDIN) {
        exit 0 if !sysread STDIN, $typed, LINE_BYTES, length $typed;
        while ($typed =~ s/^(.*)\n//) {
            my $command = $json->decode($1);
            $obey{ $command->{do} }->($command);
        }
    }
    elsif ($handle == $listener) {
        my $socket = $listener->accept or return;
        $sessions{ fileno $socket } = { socket => $socket, order => ++$orders, receives => 0, waiting => {} };
        $select->add($socket);
    }
    elsif (my $session = $sessions{ fileno $handle // -1 }) { heard($session) }
}

while (1) {
    my $wait_s = @timers ? $timers[0][0] - time : undef;
    readable($_) for $select->can_read(defined $wait_s && $wait_s < 0 ? 0 : $wait_s);
    while (@timers && $timers[0][0] <= time) { (shift @timers)->[1]->() }
}
