import {chmod, mkdir, readdir, readFile, readlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {crossBuild} from '#image/make/cross-build.ts';
import {runStage} from '#image/make/run-stage.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
const mirror = {archive: 'http://archive.example/debian', security: 'http://archive.example/debian-security'};

/** An mmdebstrap that makes a folder with a library as Debian links it, and a cmake; both note how they were called. */
const withPrograms = async (t: ExecutionContext) => {
	const directory = await withDirectory(t);
	const log = path.join(directory, 'calls');
	const programs = {
		mmdebstrap: [
			'for folder; do case $folder in *.part) break ;; esac; done',
			'mkdir --parents "$folder/usr/lib/x" "$folder/lib/x"',
			'ln --symbolic /lib/x/libz.so.1 "$folder/usr/lib/x/libz.so"',
			'ln --symbolic libz.so.1 "$folder/lib/x/libz.so"',
		],
		cmake: [':'],
	};
	for (const [name, lines] of Object.entries(programs)) {
		const file = path.join(directory, name);
		await writeFile(file, ['#!/bin/sh', 'set -eu', `echo "${name} $*" >>'${log}'`, ...lines, ''].join('\n'));
		await chmod(file, 0o755);
	}
	await writeFile(log, '');
	const before = process.env['PATH'];
	process.env['PATH'] = `${directory}:${before}`;
	t.teardown(() => {
		process.env['PATH'] = before;
	});
	return {calls: async () => (await readFile(log, 'utf8')).trimEnd().split('\n')};
};

test.serial('for this machine’s own architecture nothing is built', async (t) => {
	const directory = await withDirectory(t);
	const {calls} = await withPrograms(t);
	const {sysroot} = await crossBuild({
		...{architecture: own, mirror, cacheDirectory: directory, logDirectory: directory},
		...{progress: () => undefined, signal: AbortSignal.timeout(60_000)},
	});
	t.is(sysroot, '/');
	t.deepEqual(await calls(), ['']);
});

(own === 'amd64' ? test.serial : test.skip)(
	'libraries are unpacked once, addons are looked at each time',
	async (t) => {
		const directory = await withDirectory(t);
		const {calls} = await withPrograms(t);
		const stages: string[] = [];
		const build = async (): Promise<string> => {
			const {sysroot} = await crossBuild({
				...{architecture: 'arm64', mirror, cacheDirectory: directory, logDirectory: directory},
				progress: (stage, seconds) => seconds === undefined && stages.push(stage),
				signal: AbortSignal.timeout(60_000),
			});
			return sysroot;
		};
		const sysroot = await build();
		t.is(await readlink(path.join(sysroot, 'usr/lib/x/libz.so')), '../../../lib/x/libz.so.1', 'it leads nowhere else');
		t.is(await readlink(path.join(sysroot, 'lib/x/libz.so')), 'libz.so.1');
		t.is(await build(), sysroot);
		t.deepEqual(stages, ['00-sysroot', '05-addons', '05-addons']);
		const [unpack, configure, compile] = await calls();
		t.regex(
			unpack ?? '',
			/--architectures=arm64 --include=\S*libisal-dev.*grub-efi-arm64-bin .*archive\.example\/debian/u,
		);
		t.regex(configure ?? '', /-D CMAKE_TOOLCHAIN_FILE=\S+\/native\/arm64-toolchain\.cmake/u);
		t.true(configure?.includes(`-D NATIVE_SYSROOT=${sysroot}`));
		t.regex(compile ?? '', /^cmake --build \S+\/native\/build-arm64 --target addons$/u);
		t.deepEqual(
			(await readdir(directory)).filter((name) => name.endsWith('.part')),
			[],
		);
	},
);

test.serial('a build that knows another sysroot begins anew', async (t) => {
	const directory = await withDirectory(t);
	const {calls} = await withPrograms(t);
	const build = path.join(directory, 'build');
	await mkdir(build);
	await writeFile(path.join(build, 'CMakeCache.txt'), 'NATIVE_SYSROOT:UNINITIALIZED=/srv/sysroot\n');
	for (const sysroot of ['/srv/sysroot', '/srv/sysroot-2']) {
		await runStage(['05-addons.sh'], {
			environment: {
				...{SV_NATIVE: 'native', SV_NATIVE_BUILD: build, SV_SYSROOT: sysroot},
				...{SV_TOOLCHAIN: 'arm64.cmake', SV_NODE_HEADERS: 'include'},
			},
			...{logDirectory: directory, progress: () => undefined, signal: AbortSignal.timeout(60_000)},
		});
	}
	t.deepEqual(
		(await calls()).filter((call) => !call.includes('--build')).map((call) => call.includes('--fresh')),
		[false, true],
	);
});
