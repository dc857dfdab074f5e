import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {chmod, mkdir, readFile, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {bundleProcess} from '#image/make/bundle-software.ts';
import {hostMirror} from '#image/make/host-mirror.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';
import {type TestImage, testImage} from '#test/helper/with-image.ts';

const run = promisify(execFile);
const modulesDirectory = path.join(projectRoot, 'build/image-vidtv');
const script = fileURLToPath(new URL('./vidtv/make-modules.sh', import.meta.url));
const probe = fileURLToPath(new URL('./vidtv/probe.ts', import.meta.url));
const makeTimeoutMs = 20 * 60_000;

/** The driver has a signal on the transponder of the project's examples, in kHz as the satellite sends it. */
const transponderKhz = 11_727_500;
/** So far beside it there is a weak one, at which the driver shall always drop the lock. */
const shiftKhzMax = 1000;
const moduleOptions = [
	`vidtv_valid_dvb_s_freqs=${transponderKhz}`,
	`max_frequency_shift_hz=${shiftKhzMax}`,
	'drop_tslock_prob_on_low_snr=100 recover_tslock_prob_on_good_snr=100',
].join(' ');

/** Tells the console what the DVB adapter does: there is no other eye in the machine. */
const unitOf = (order: string, argument: string): string => `[Unit]
Description=Tells what the DVB adapter does
Wants=systemd-udev-settle.service
${order}

[Service]
Type=oneshot
TimeoutStartSec=1200
ExecStart=/usr/lib/streamverse/bin/node /usr/lib/streamverse/vidtv-probe.js ${argument}
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console

[Install]
WantedBy=multi-user.target
`;
/** Ahead of the box's software, whose role takes the tuner; then beside it. */
const deviceUnit = unitOf(
	'After=systemd-udev-settle.service systemd-modules-load.service\nBefore=streamverse.service',
	'device',
);
const roleUnit = unitOf('After=vidtv-device.service streamverse.service', 'role');

/**
 * A set-top whose kernel has a DVB adapter: `vidtv`, the kernel's own virtual one, which Debian does not build. Its modules
 * are made once for each kernel, which takes some minutes. A probe of ours tells the console what it finds of the adapter.
 */
export const vidtvImage = async ({release}: {readonly release: string}): Promise<TestImage> => {
	const plain = await testImage({release});
	const kernel = /^linux-image-(\d\S+)/mu.exec(await readFile(plain.packagesPath, 'utf8'))?.[1];
	if (kernel === undefined) {
		throw new Error(`${plain.packagesPath} names no kernel.`);
	}
	const modules = path.join(modulesDirectory, kernel);
	if (!existsSync(modules)) {
		await makeModules(modules, kernel);
	}
	return await testImage({release, files: await probeFiles(), overlays: [modules]});
};

const probeFiles = async (): Promise<Readonly<Record<string, string>>> => {
	const probeFile = path.join(modulesDirectory, 'vidtv-probe.js');
	await bundleProcess(probe, probeFile, {kept: [], format: 'esm'});
	return {
		'etc/modprobe.d/vidtv.conf': `options dvb-vidtv-bridge ${moduleOptions}\n`,
		'etc/modules-load.d/vidtv.conf': 'dvb-vidtv-bridge\n',
		'etc/systemd/system/vidtv-device.service': deviceUnit,
		'etc/systemd/system/vidtv-role.service': roleUnit,
		// Before the box's own, which turns off what it does not name.
		'etc/systemd/system-preset/00-a-vidtv.preset': 'enable vidtv-device.service\nenable vidtv-role.service\n',
		'usr/lib/streamverse/vidtv-probe.js': await readFile(probeFile, 'utf8'),
	};
};

const makeModules = async (overlay: string, kernel: string): Promise<void> => {
	const making = `${overlay}.new`;
	await rm(making, {recursive: true, force: true});
	const modules = path.join(making, 'usr/lib/modules', kernel, 'updates');
	await mkdir(modules, {recursive: true});
	const {archive, security} = hostMirror();
	await run(script, {
		env: {
			PATH: process.env['PATH'],
			SV_SUITE: loadRecipe('stb', 'amd64').suite,
			SV_MIRROR: archive,
			SV_MIRROR_SECURITY: security,
			SV_KERNEL: kernel,
			SV_MODULES: modules,
		},
		timeout: makeTimeoutMs,
	});
	await chmod(making, 0o755);
	await rename(making, overlay);
};
