import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {chmod, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {hostMirror} from '#image/make/host-mirror.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';
import {type TestImage, testImage} from '#test/helper/with-image.ts';

const run = promisify(execFile);
const modulesDirectory = path.join(projectRoot, 'build/image-vidtv');
const script = fileURLToPath(new URL('./vidtv/make-modules.sh', import.meta.url));
const makeTimeoutMs = 20 * 60_000;
/** Of the transponder in the project's examples, in kHz: the driver has a signal there and nowhere else. */
const transponder = 11_727_500;

/** Tells the console what the role's user finds of the device: there is no other eye in the machine. */
const checkUnit = `[Unit]
Description=Tells what DVB devices there are
After=systemd-udev-settle.service
Wants=systemd-udev-settle.service

[Service]
Type=oneshot
User=streamverse
SupplementaryGroups=video
ExecStart=/bin/sh -c 'for device in frontend0 demux0 dvr0; do test -r /dev/dvb/adapter0/$$device && echo "DVB device $$device"; done'
StandardOutput=tty
TTYPath=/dev/console

[Install]
WantedBy=multi-user.target
`;
/** Before the box's own, which turns off what it does not name. */
const presetFile = '00-a-vidtv.preset';

/**
 * A set-top whose kernel has a DVB adapter: `vidtv`, the kernel's own virtual one, which Debian does not build. Its modules
 * are made once for each kernel, which takes some minutes.
 */
export const vidtvImage = async ({release}: {readonly release: string}): Promise<TestImage> => {
	const plain = await testImage({release});
	const kernel = /^linux-image-(\d\S+)/mu.exec(await readFile(plain.packagesPath, 'utf8'))?.[1];
	if (kernel === undefined) {
		throw new Error(`${plain.packagesPath} names no kernel.`);
	}
	const overlay = path.join(modulesDirectory, kernel);
	if (!existsSync(overlay)) {
		await makeOverlay(overlay, kernel);
	}
	return await testImage({release, overlays: [overlay]});
};

const makeOverlay = async (overlay: string, kernel: string): Promise<void> => {
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
	const units = path.join(making, 'etc/systemd/system');
	await mkdir(units, {recursive: true});
	await mkdir(path.join(making, 'etc/systemd/system-preset'));
	await mkdir(path.join(making, 'etc/modules-load.d'));
	await mkdir(path.join(making, 'etc/modprobe.d'));
	await writeFile(path.join(units, 'vidtv-check.service'), checkUnit);
	await writeFile(path.join(making, 'etc/systemd/system-preset', presetFile), 'enable vidtv-check.service\n');
	await writeFile(path.join(making, 'etc/modules-load.d/vidtv.conf'), 'dvb-vidtv-bridge\n');
	const options = `options dvb-vidtv-bridge vidtv_valid_dvb_s_freqs=${transponder}\n`;
	await writeFile(path.join(making, 'etc/modprobe.d/vidtv.conf'), options);
	await chmod(making, 0o755);
	await rename(making, overlay);
};
