import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {chmod, mkdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {renderSystemConf} from '#ota/slot/rauc/system-conf.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withMessageBus} from '#test/helper/with-message-bus.ts';

const run = promisify(execFile);

export type RaucDaemon = {
	readonly directory: string;
	readonly busAddress: string;
	/** Kills the daemon at once. */
	readonly kill: () => Promise<void>;
	/** Starts it as if this slot had been booted. */
	readonly start: (bootname: 'A' | 'B' | 'R') => Promise<void>;
	/** Makes a bundle; answers its path and the image in it. */
	readonly makeBundle: (options: {
		readonly version: string;
		readonly compatible?: string;
		readonly signer?: 'release' | 'foreign';
		readonly imageBytes?: number;
	}) => Promise<{readonly path: string; readonly image: Buffer}>;
	/** What the boot loader's environment says. */
	readonly environment: () => Promise<{readonly primary: string; readonly a: string; readonly b: string}>;
	readonly slotImage: (bootname: 'A' | 'B') => Promise<Buffer>;
	/** While this file is there the boot loader's environment cannot be written, and the daemon waits. */
	readonly holdPath: string;
};

export const slotBytes = 1024 ** 2;

/** A daemon that is killed while it installs leaves its bundle on a loop device, whose file is gone soon after. */
const detachLoops = async (directory: string): Promise<void> => {
	const attached = async (): Promise<readonly string[]> => {
		const {stdout} = await run('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']);
		const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/u));
		return lines.filter(([, file]) => file?.startsWith(`${directory}/`) === true).map(([device = '']) => device);
	};
	await eventually('no loop device is left', async () => {
		const devices = await attached();
		for (const device of devices) {
			// The kernel may detach it by itself, now that its mount goes.
			await run('umount', [device]).catch(() => undefined);
			await run('losetup', ['--detach', device]).catch(() => undefined);
		}
		return devices.length === 0;
	});
};

/** The real RAUC daemon on a bus of its own, with plain files for slots and a shell script for a boot loader. */
export const withRaucDaemon = async (
	t: ExecutionContext,
	{allowPlain = true, factory = false} = {},
): Promise<RaucDaemon> => {
	const directory = await withDirectory(t);
	const holdPath = join(directory, 'hold');
	await makeKeys(directory);
	await writeBackend(directory);
	for (const slot of ['a', 'b', 'r']) {
		await writeFile(join(directory, `slot-${slot}.img`), '');
		await truncate(join(directory, `slot-${slot}.img`), slotBytes);
	}
	await mkdir(join(directory, 'mount'));
	await mkdir(join(directory, 'data'));
	const conf = renderSystemConf({
		raucVersion: '1.8',
		compatible: 'bench',
		keyringPath: join(directory, 'release.cert.pem'),
		dataDirectory: join(directory, 'data'),
		mountPrefix: join(directory, 'mount'),
		bootloader: {kind: 'custom', backendPath: join(directory, 'backend.sh')},
		slots: ['a', 'b'].map((slot) => ({device: join(directory, `slot-${slot}.img`), bootname: slot.toUpperCase()})),
		...(factory ? {factory: {device: join(directory, 'slot-r.img'), bootname: 'R'}} : {}),
		...(allowPlain ? {allowPlain: true as const} : {}),
	});
	await writeFile(join(directory, 'system.conf'), conf);
	t.teardown(async () => await detachLoops(directory));
	const busAddress = await withMessageBus(t);
	let daemon: ChildProcess | undefined;
	const kill = async (): Promise<void> => {
		await stop(daemon);
		daemon = undefined;
	};
	t.teardown(kill);
	return {
		directory,
		busAddress,
		holdPath,
		kill,
		start: async (bootname) => {
			await kill();
			const args = ['--conf', join(directory, 'system.conf'), 'service', `--override-boot-slot=${bootname}`];
			const environment = {...process.env, DBUS_SYSTEM_BUS_ADDRESS: busAddress};
			const started = spawn('rauc', args, {stdio: 'ignore', env: environment});
			daemon = started;
			const query = [`--bus=${busAddress}`, '--dest=org.freedesktop.DBus', '--print-reply', '/', ownerQuery];
			await eventually('RAUC on the bus', async () => {
				const {stdout} = await run('dbus-send', [...query, 'string:de.pengutronix.rauc']);
				return started.exitCode === null && stdout.includes('boolean true');
			});
		},
		makeBundle: async ({version, compatible = 'bench', signer = 'release', imageBytes = 64 * 1024}) => {
			const content = join(directory, `content-${version}-${compatible}-${signer}`);
			const path = `${content}.raucb`;
			await mkdir(content);
			const image = randomBytes(imageBytes);
			await writeFile(join(content, 'rootfs.img'), image);
			await writeFile(
				join(content, 'manifest.raucm'),
				`[update]\ncompatible=${compatible}\nversion=${version}\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=rootfs.img\n`,
			);
			const [cert, key] = ['cert', 'key'].map((each) => join(directory, `${signer}.${each}.pem`));
			await run('rauc', ['bundle', `--cert=${cert}`, `--key=${key}`, content, path]);
			return {path, image};
		},
		environment: async () => {
			const read = async (name: string): Promise<string> =>
				(await readFile(join(directory, 'boot', name), 'utf8')).trim();
			return {primary: await read('primary'), a: await read('state.A'), b: await read('state.B')};
		},
		slotImage: async (bootname) => await readFile(join(directory, `slot-${bootname.toLowerCase()}.img`)),
	};
};

const ownerQuery = 'org.freedesktop.DBus.NameHasOwner';

const stop = async (child: ChildProcess | undefined): Promise<void> => {
	if (child !== undefined && child.exitCode === null && child.signalCode === null) {
		child.kill('SIGKILL');
		await once(child, 'exit');
	}
};

const makeKeys = async (directory: string): Promise<void> => {
	for (const name of ['release', 'foreign']) {
		const [key, cert] = ['key', 'cert'].map((each) => join(directory, `${name}.${each}.pem`));
		await run('openssl', [
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
			...['-subj', `/CN=${name}`, '-addext', 'extendedKeyUsage=codeSigning', '-addext', 'keyUsage=digitalSignature'],
			...['-keyout', key ?? '', '-out', cert ?? ''],
		]);
	}
};

/** As a boot loader's script would: what is made primary is good, and to be tried. */
const writeBackend = async (directory: string): Promise<void> => {
	const boot = join(directory, 'boot');
	await mkdir(boot);
	await writeFile(join(boot, 'primary'), 'A\n');
	await writeFile(join(boot, 'state.A'), 'good\n');
	await writeFile(join(boot, 'state.B'), 'good\n');
	await writeFile(join(boot, 'state.R'), 'good\n');
	const script = `#!/bin/sh
while [ -e '${join(directory, 'hold')}' ] && [ "$1" = set-state ]; do sleep 0.02; done
case "$1" in
get-primary) cat '${boot}/primary' ;;
set-primary) echo "$2" > '${boot}/primary'; echo good > "${boot}/state.$2" ;;
get-state) cat "${boot}/state.$2" ;;
set-state) echo "$3" > "${boot}/state.$2" ;;
esac
`;
	await writeFile(join(directory, 'backend.sh'), script);
	await chmod(join(directory, 'backend.sh'), 0o755);
};
