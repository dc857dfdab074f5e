import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {copyFile, link, mkdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {developmentKeysDirectory, type ImageKeys, openImageKeys, signerOf} from '#image/make/image-keys.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {sectionArguments} from '#image/make/section-addresses.ts';
import {type TestImage, testCompatible, testImage} from '#test/helper/with-image.ts';

/**
 * An image that is sound until its kernel's command line names a fault. Of one root, which takes minutes to make, each bad
 * release is another boot image, which takes seconds: that is why the release is on the command line as well.
 */
const unit = `[Unit]
Description=A fault of a test
ConditionKernelCommandLine=streamverse.fault
DefaultDependencies=no
RequiresMountsFor=/var/lib/streamverse
After=systemd-tmpfiles-setup.service
Before=basic.target systemd-networkd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -eu /usr/lib/streamverse-fault/fault
[Install]
WantedBy=basic.target
`;

/** Everything lies on a read-only root, and is laid over in memory. */
const script = `argument() { sed -n "s/.*\\\\bstreamverse\\\\.$1=\\\\([^ ]*\\\\).*/\\\\1/p" /proc/cmdline; }
software=/usr/lib/streamverse
over() { cat >"/run/fault-$1"; chmod 0644 "/run/fault-$1"; mount --bind "/run/fault-$1" "$2"; }
echo "{\\"type\\":\\"module\\",\\"version\\":\\"$(argument release)\\"}" | over package "$software/package.json"
case $(argument fault) in
panic) echo c >/proc/sysrq-trigger ;;
hang) kill -s SEGV 1 ;;
supervisor-exits) echo 'process.exit(3);' | over supervisor "$software/supervisor.js" ;;
role-exits) echo 'process.exit(4);' | over role "$software/role.js" ;;
role-refuses) cat /usr/lib/streamverse-fault/refuse.js "$software/role.js" | over role "$software/role.js" ;;
no-network) over network /usr/lib/systemd/network/80-streamverse.network </dev/null ;;
clock) date --set '+10 years' ;;
esac
`;

/** In front of the role's program: the status that the box is asked for after an update is an error. */
const refuse = `import {Server as FaultServer} from 'node:http';
const soundEmit = FaultServer.prototype.emit;
FaultServer.prototype.emit = function (event, request, response) {
	if (event === 'request' && request.url.startsWith('/box/status')) {
		response.writeHead(500).end();
		return true;
	}
	return Reflect.apply(soundEmit, this, arguments);
};
`;

const faultFiles = {
	'usr/lib/systemd/system/streamverse-fault.service': unit,
	// Before the one that disables everything else.
	'usr/lib/systemd/system-preset/00-fault.preset': 'enable streamverse-fault.service\n',
	'usr/lib/streamverse-fault/fault': script,
	'usr/lib/streamverse-fault/refuse.js': refuse,
};

/** Sound by itself: a release that a machine can be updated to. */
export const faultImage = (release: string): Promise<TestImage> => testImage({release, files: faultFiles});

/** The bundle of an image with other words on the kernel's command line, signed as the image is. */
export const bundleWith = async (
	image: TestImage,
	{
		release,
		kernelArguments,
		directory,
	}: {readonly release: string; readonly kernelArguments: string; readonly directory: string},
): Promise<string> => {
	const keys = testKeys();
	const content = await contentOf(image);
	const making = path.join(directory, `content-${release}`);
	await mkdir(making, {recursive: true});
	await link(path.join(content, 'rootfs.img'), path.join(making, 'rootfs.img'));
	await copyFile(path.join(content, 'boot.img'), path.join(making, 'boot.img'));
	await rewriteCommandLine(path.join(making, 'boot.img'), {kernelArguments, keys});
	const bundlePath = path.join(directory, `${release}.raucb`);
	await writeBundle(making, {bundlePath, release, keys});
	await rm(making, {recursive: true});
	return bundlePath;
};

export const testKeys = (): ImageKeys => openImageKeys(developmentKeysDirectory, {make: true});

/** Of files that lie in a directory: the images of both slots. */
export const writeBundle = async (
	content: string,
	options: {
		readonly bundlePath: string;
		readonly release: string;
		readonly keys: ImageKeys;
		readonly compatible?: string;
		/** Of somebody whom no box trusts. */
		readonly signer?: {readonly key: string; readonly certificate: string};
	},
): Promise<void> => {
	const {keys, compatible = testCompatible} = options;
	const own = signerOf(keys, 'development');
	const {key, certificate} = options.signer ?? own;
	const images = ['rootfs', 'boot'].flatMap((name) => [
		`[image.${name}]`,
		`filename=${name}.img`,
		'adaptive=block-hash-index',
	]);
	const manifest = [
		'[update]',
		`compatible=${compatible}`,
		`version=${options.release}`,
		'[bundle]',
		'format=verity',
		...images,
	];
	await writeFile(path.join(content, 'manifest.raucm'), `${manifest.join('\n')}\n`);
	run('rauc', [
		...['bundle', `--cert=${certificate}`, `--key=${key}`],
		...(options.signer === undefined ? [`--intermediate=${own.intermediate}`] : []),
		...['--mksquashfs-args=-comp zstd -Xcompression-level 3 -noD -noF -no-progress', content, options.bundlePath],
	]);
};

/** What a bundle holds, unpacked once. */
const contentOf = async ({bundlePath}: TestImage): Promise<string> => {
	const content = `${bundlePath}.content`;
	if (!existsSync(content)) {
		run('unsquashfs', ['-force', '-no-progress', '-dest', `${content}.new`, bundlePath]);
		await rename(`${content}.new`, content);
	}
	return content;
};

/** Takes the kernel's image apart into the firmware's stub and what was added to it, and puts it together as the build does. */
const rewriteCommandLine = async (
	bootImage: string,
	{kernelArguments, keys}: {readonly kernelArguments: string; readonly keys: ImageKeys},
): Promise<void> => {
	const work = `${bootImage}.parts`;
	await mkdir(work);
	const [kernel, stub] = [path.join(work, 'kernel.efi'), path.join(work, 'stub.efi')];
	run('mcopy', ['-n', '-i', bootImage, '::/streamverse.efi', kernel]);
	run('sbattach', ['--remove', kernel]);
	const parts = ['.osrel', '.cmdline', '.initrd', '.linux'].map((name) => ({
		name,
		file: path.join(work, name.slice(1)),
	}));
	run('objcopy', [...parts.flatMap(({name, file}) => ['--dump-section', `${name}=${file}`]), kernel, stub]);
	run('objcopy', [...parts.flatMap(({name}) => ['--remove-section', name]), stub]);
	const line = path.join(work, 'cmdline');
	const before = (await readFile(line, 'utf8')).replaceAll('\0', '').trim();
	await writeFile(line, `${before} ${kernelArguments}`);
	const sized = parts.map(async (part) => ({...part, bytes: (await stat(part.file)).size}));
	const sections = sectionArguments(await readFile(stub), await Promise.all(sized));
	const {key, certificate} = keys.secureBoot;
	run('bash', [path.join(imageDirectory, 'stage/50-boot-image.sh')], {
		...{SV_IMAGE: imageDirectory, SV_WORK: work, SV_STUB: stub, SV_SECTIONS: sections.join(' '), SV_OBJCOPY: 'objcopy'},
		...{SV_BOOT_BYTES: String((await stat(bootImage)).size), SV_DB_KEY: key, SV_DB_CERT: certificate},
		SOURCE_DATE_EPOCH: '0',
	});
	await rename(path.join(work, 'boot.img'), bootImage);
	await rm(work, {recursive: true});
};

const run = (command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): void => {
	execFileSync(command, args, {stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, ...environment}});
};
