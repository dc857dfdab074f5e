import {spawn} from 'node:child_process';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** Node has no AF_UNIX datagrams; perl-base, which every Debian has, does. One line of JSON-free text a datagram. */
const receiver = `
use IO::Socket::UNIX; use Socket; $| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "cannot bind: $!";
print "bound\\n";
while (defined $socket->recv(my $datagram, 65536)) { $datagram =~ s/\\n/;/g; print "$datagram\\n"; }
`;

export type NotifySocket = {
	readonly path: string;
	/** What was received so far, one datagram an entry, its lines joined by `;`. */
	readonly datagrams: () => readonly string[];
};

/** Listens as systemd does at NOTIFY_SOCKET, until the test ends. */
export const withNotifySocket = async (t: ExecutionContext): Promise<NotifySocket> => {
	const socketPath = path.join(await withDirectory(t), 'notify');
	const child = spawn('perl', ['-e', receiver, socketPath], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
	});
	await eventually('the notify socket is bound', () => output.includes('bound\n'));
	return {path: socketPath, datagrams: () => output.split('\n').slice(1, -1)};
};
