import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type KafkaRecord, readKafkaTopic} from '#test/helper/with-kafka-mock.ts';

const execute = promisify(execFile);
const jars = fileURLToPath(new URL('../../build/peers-kafka/jars/*', import.meta.url));

export type Kafka = {
	readonly broker: string;
	readonly start: () => Promise<void>;
	/** What it has on disk stays. */
	readonly kill: () => Promise<void>;
	readonly read: (topic: string) => Promise<readonly KafkaRecord[]>;
};

/** One Apache Kafka (KRaft: broker and controller in one) on free ports, not started yet. */
export const withKafka = async (t: ExecutionContext): Promise<Kafka> => {
	const directory = await withDirectory(t);
	const [port, controllerPort] = [await freePort(), await freePort()];
	const broker = `127.0.0.1:${port}`;
	const file = path.join(directory, 'server.properties');
	await writeFile(
		file,
		`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://${broker},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://${broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${path.join(directory, 'data')}
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=true
`,
	);
	await execute('java', ['-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', file]);
	let child: ChildProcess | undefined;
	const kill = async (): Promise<void> => {
		const running = child;
		child = undefined;
		if (running !== undefined && running.exitCode === null) {
			running.kill('SIGKILL');
			await once(running, 'exit');
		}
	};
	t.teardown(kill);
	return {
		broker,
		kill,
		start: async () => {
			child = spawn('java', ['-Xmx384m', '-cp', jars, 'kafka.Kafka', file], {stdio: 'ignore', cwd: directory});
			await eventually('Kafka answers', () => execute('kcat', ['-L', '-b', broker, '-m', '2']).then(() => true), {
				timeoutMs: 90_000,
			});
		},
		read: (topic) => readKafkaTopic(broker, topic),
	};
};
