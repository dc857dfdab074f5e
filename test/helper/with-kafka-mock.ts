import {execFile, spawn} from 'node:child_process';
import {connect, createServer, type Socket} from 'node:net';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {freePort} from '#test/helper/free-port.ts';

const execute = promisify(execFile);

export type KafkaRecord = {
	readonly partition: number;
	readonly key: string;
	readonly messageId: string;
	readonly value: string;
};

export type KafkaMock = {
	/** Where it is found; the same for each of its lives. */
	readonly broker: string;
	readonly start: () => Promise<void>;
	/** With all that it holds. */
	readonly kill: () => void;
	readonly pause: () => void;
	readonly resume: () => void;
	/** Everything in a topic, by partition and offset. */
	readonly read: (topic: string) => Promise<readonly KafkaRecord[]>;
};

/**
 * librdkafka's mock cluster, as kcat starts it. It chooses its port at each start: a relay of ours stands at one that
 * stays.
 */
export const withKafkaMock = async (t: ExecutionContext): Promise<KafkaMock> => {
	let child: ReturnType<typeof spawn> | undefined;
	let mockPort = 0;
	const port = await freePort();
	const sockets = new Set<Socket>();
	const relay = createServer((socket) => {
		const onward = connect(mockPort, '127.0.0.1');
		for (const end of [socket, onward]) {
			sockets.add(end);
			end.on('error', () => undefined).on('close', () => sockets.delete(end));
		}
		socket.pipe(onward).pipe(socket);
	}).listen(port, '127.0.0.1');
	const kill = (): void => {
		child?.kill('SIGKILL');
		child = undefined;
	};
	t.teardown(() => {
		kill();
		for (const socket of sockets) {
			socket.destroy();
		}
		relay.close();
	});
	return {
		broker: `127.0.0.1:${port}`,
		start: async () => {
			child = spawn('kcat', ['-C', '-b', 'x', '-t', 'boot', '-X', 'test.mock.num.brokers=1', '-d', 'mock'], {
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			mockPort = await portOf(child);
		},
		kill,
		pause: () => child?.kill('SIGSTOP'),
		resume: () => child?.kill('SIGCONT'),
		read: (topic) => readKafkaTopic(`127.0.0.1:${mockPort}`, topic),
	};
};

const portOf = (child: ReturnType<typeof spawn>): Promise<number> =>
	new Promise((resolve, reject) => {
		child.once('exit', () => reject(new Error('kcat ended before its cluster was there')));
		// Read to the end: a full pipe would stop the cluster.
		createInterface({input: child.stderr as NodeJS.ReadableStream}).on('line', (line) => {
			const port = /Mock cluster .* bootstrap\.servers=127\.0\.0\.1:(\d+)/u.exec(line)?.[1];
			if (port !== undefined) {
				resolve(Number(port));
			}
		});
	});

/** Everything in a topic now, read by librdkafka. */
export const readKafkaTopic = async (broker: string, topic: string): Promise<readonly KafkaRecord[]> => {
	const {stdout} = await execute(
		'kcat',
		['-C', '-q', '-e', '-b', broker, '-t', topic, '-o', 'beginning', '-f', '%p\\t%k\\t%h\\t%s\\n'],
		{timeout: 30_000, maxBuffer: 256 * 1024 ** 2},
	);
	const lines = stdout.split('\n').filter((line) => line !== '');
	return lines.map((line) => {
		const [partition = '', key = '', headers = '', value = ''] = line.split('\t');
		return {partition: Number(partition), key, messageId: headers.replace('message-id=', ''), value};
	});
};
