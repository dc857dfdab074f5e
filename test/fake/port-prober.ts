import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {connect, createServer} from 'node:net';
import {text} from 'node:stream/consumers';
import {sleep} from '#appliance/time/sleep.ts';

/**
 * `serve TCP UDP` answers at these ports; `probe HOST TCP UDP` prints which of them do, lists with commas between. A port is
 * silent when it still is after one that answers, the last of each list, has answered.
 */
const [mode, ...rest] = process.argv.slice(2);
const roundMs = 100;
const ports = (list: string | undefined): readonly number[] => (list ?? '').split(',').filter(Boolean).map(Number);

const serve = async (tcp: readonly number[], udp: readonly number[]): Promise<void> => {
	for (const port of tcp) {
		const server = createServer((socket) => socket.end('here'));
		await once(server.listen(port, '0.0.0.0'), 'listening');
	}
	for (const port of udp) {
		const socket = createSocket('udp4', (_, {port: from, address}) => socket.send('here', from, address));
		await once(socket.bind(port, '0.0.0.0'), 'listening');
	}
	process.stdout.write('ready\n');
};

const probeTcp = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted) {
		const socket = connect({host, port, signal});
		try {
			if ((await text(socket)) === 'here') {
				return;
			}
		} catch {
			await sleep(roundMs, {signal});
		}
	}
	signal.throwIfAborted();
};

const probeUdp = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
	const socket = createSocket('udp4');
	try {
		const answer = once(socket, 'message', {signal});
		answer.catch(() => undefined);
		for (let answered = false; !answered; ) {
			socket.send('there', port, host);
			answered = await Promise.race([answer.then(() => true), sleep(roundMs, {signal}).then(() => false)]);
		}
	} finally {
		socket.close();
	}
};

const probe = async (host: string, tcp: readonly number[], udp: readonly number[]): Promise<void> => {
	const controller = new AbortController();
	const reached: string[] = [];
	const attempts = [
		...tcp.map((port) => ({name: `tcp ${port}`, attempt: probeTcp(host, port, controller.signal)})),
		...udp.map((port) => ({name: `udp ${port}`, attempt: probeUdp(host, port, controller.signal)})),
	];
	const watched = attempts.map(async ({name, attempt}) => {
		try {
			await attempt;
			reached.push(name);
		} catch {
			// Ended because it stayed silent.
		}
	});
	await Promise.all([watched[tcp.length - 1], watched.at(-1)]);
	controller.abort();
	await Promise.all(watched);
	process.stdout.write(`${JSON.stringify(reached.sort())}\n`);
};

await (mode === 'serve' ? serve(ports(rest[0]), ports(rest[1])) : probe(rest[0] ?? '', ports(rest[1]), ports(rest[2])));
