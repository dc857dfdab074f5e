import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import type {TestAuthority} from '#test/helper/test-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

export type TestMosquitto = {
	readonly url: string;
	/** As a loss of power ends it: nothing is written down. */
	readonly kill: () => Promise<void>;
	/** On the same port, with what it persisted. */
	readonly start: () => Promise<void>;
};

/** By then it has its port, or has ended. */
const startMs = 50;

/**
 * A real mosquitto with mutual TLS on a free loopback port: a certificate's CN is the user's name, a box may only use its
 * own prefix, and `fleet` everything. The product's own broker is ota/fleet/broker; this one is for the box's side alone.
 */
export const withMosquitto = async (t: ExecutionContext, authority: TestAuthority): Promise<TestMosquitto> => {
	const directory = await withDirectory(t);
	const port = await freePort();
	const server = await authority.issue('127.0.0.1', {server: true});
	const files = {'ca.pem': authority.caPem, 'server.pem': server.certificatePem, 'server.key': server.keyPem};
	for (const [name, content] of Object.entries(files)) {
		await writeFile(path.join(directory, name), content);
	}
	await writeFile(path.join(directory, 'acl'), 'user fleet\ntopic readwrite #\n\npattern readwrite sv/1/%u/#\n');
	await mkdir(path.join(directory, 'data'));
	const configuration = [
		`listener ${port} 127.0.0.1`,
		`cafile ${directory}/ca.pem`,
		`certfile ${directory}/server.pem`,
		`keyfile ${directory}/server.key`,
		'require_certificate true',
		'use_identity_as_username true',
		`acl_file ${directory}/acl`,
		'allow_anonymous false',
		'persistence true',
		`persistence_location ${directory}/data/`,
		'autosave_interval 1',
		'autosave_on_changes true',
		'max_packet_size 1048576',
		// Without it a broker started by root changes to a user that cannot read the directory.
		...(process.getuid?.() === 0 ? ['user root'] : []),
	];
	await writeFile(path.join(directory, 'mosquitto.conf'), `${configuration.join('\n')}\n`);
	let child: ChildProcess | undefined;
	const kill = async (): Promise<void> => {
		if (child?.pid !== undefined && isProcessAlive(child.pid)) {
			const ended = once(child, 'exit');
			child.kill('SIGKILL');
			await ended;
		}
	};
	const start = async (): Promise<void> => {
		await eventually('mosquitto listens', async () => {
			// The port may be another's for a moment: a client's connection is given one of the same range.
			if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
				child = spawn('mosquitto', ['-c', path.join(directory, 'mosquitto.conf')], {stdio: 'ignore'});
				await sleep(startMs);
			}
			return (await canConnect(port)) && child.exitCode === null;
		});
	};
	t.teardown(kill);
	await start();
	return {url: `mqtts://127.0.0.1:${port}`, kill, start};
};

const canConnect = async (port: number): Promise<boolean> => {
	const socket = connect({host: '127.0.0.1', port});
	try {
		await once(socket, 'connect');
		return true;
	} finally {
		socket.destroy();
	}
};
