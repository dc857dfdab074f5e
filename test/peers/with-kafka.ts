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
	/** Without TLS and accounts. */
	readonly broker: string;
	/** With both; undefined = it was started without. */
	readonly secureBroker: string | undefined;
	readonly start: () => Promise<void>;
	/** What it has on disk stays. */
	readonly kill: () => Promise<void>;
	readonly read: (topic: string) => Promise<readonly KafkaRecord[]>;
};

export type SecureListener = {
	readonly host: string;
	/** PEM: the key, and the certificate with its chain. */
	readonly keystore: string;
	readonly username: string;
	readonly password: string;
};

/** One Apache Kafka (KRaft: broker and controller in one) on free ports, not started yet. */
export const withKafka = async (t: ExecutionContext, secure?: SecureListener): Promise<Kafka> => {
	const directory = await withDirectory(t);
	const [port, controllerPort] = [await freePort(), await freePort()];
	const broker = `127.0.0.1:${port}`;
	const secureBroker = secure === undefined ? undefined : `${secure.host}:${await freePort()}`;
	const secured = secureBroker === undefined ? '' : `,SASL_SSL://${secureBroker}`;
	const file = path.join(directory, 'server.properties');
	await writeFile(
		file,
		`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://${broker}${secured},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://${broker}${secured}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${path.join(directory, 'data')}
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=true
${secure === undefined ? '' : await secureProperties(directory, secure)}`,
	);
	await execute('java', [
		...['-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', file],
		...(secure === undefined
			? []
			: scramMechanisms.flatMap((mechanism) => ['--add-scram', accountOf(mechanism, secure)])),
	]);
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
		...{broker, secureBroker, kill},
		start: async () => {
			child = spawn('java', ['-Xmx384m', '-cp', jars, 'kafka.Kafka', file], {stdio: 'ignore', cwd: directory});
			await eventually('Kafka answers', () => execute('kcat', ['-L', '-b', broker, '-m', '2']).then(() => true), {
				timeoutMs: 90_000,
			});
		},
		read: (topic) => readKafkaTopic(broker, topic),
	};
};

const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

const accountOf = (mechanism: string, {username, password}: SecureListener): string =>
	`${mechanism}=[name=${username},password=${password}]`;

/** PLAIN's accounts are in the file; those of SCRAM are written when the storage is formatted. */
const secureProperties = async (directory: string, secure: SecureListener): Promise<string> => {
	const keystore = path.join(directory, 'keystore.pem');
	await writeFile(keystore, secure.keystore, {mode: 0o600});
	const listener = 'listener.name.sasl_ssl';
	const login = 'org.apache.kafka.common.security';
	return [
		'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
		`${listener}.ssl.keystore.type=PEM`,
		`${listener}.ssl.keystore.location=${keystore}`,
		`${listener}.sasl.enabled.mechanisms=${['PLAIN', ...scramMechanisms].join(',')}`,
		`${listener}.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_${secure.username}="${secure.password}";`,
		...scramMechanisms.map(
			(mechanism) =>
				`${listener}.${mechanism.toLowerCase()}.sasl.jaas.config=${login}.scram.ScramLoginModule required;`,
		),
		'',
	].join('\n');
};
