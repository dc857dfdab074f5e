import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {addonsDirectory, isCodeOf, nodeNameOf, requireAddons, targetPackages} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const machines = {amd64: 62, arm64: 183} as const;
const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
const other = own === 'arm64' ? 'amd64' : 'arm64';

const elf = (machine: number): Buffer => {
	const header = Buffer.alloc(64);
	header.write('\u007FELF', 'latin1');
	header.writeUInt16LE(machine, 18);
	return header;
};

type Packages = Readonly<Record<string, string>>;

/** A checkout with what an image for the other architecture needs, and the folder of a package of its machine code. */
const withCheckout = async (
	t: ExecutionContext,
	addon: Buffer,
): Promise<{readonly root: string; readonly packages: Packages; readonly terminal: string}> => {
	const root = await withDirectory(t);
	const terminal = path.join(root, 'cache/terminal/build/pty.node');
	const packages = {terminal: path.join(root, 'cache/terminal')};
	const files: Readonly<Record<string, Buffer>> = {
		[path.join(path.relative(projectRoot, addonsDirectory(other)), 'gf.node')]: addon,
		[`node_modules/better-sqlite3/prebuilds/${nodeNameOf(other)}.node`]: elf(machines[other]),
		[path.relative(root, terminal)]: elf(machines[other]),
	};
	for (const [name, bytes] of Object.entries(files)) {
		mkdirSync(path.dirname(path.join(root, name)), {recursive: true});
		writeFileSync(path.join(root, name), bytes);
	}
	return {root, packages, terminal};
};

test('machine code is told by its header', async (t) => {
	const file = path.join(await withDirectory(t), 'file');
	for (const [bytes, amd64, arm64] of [
		[elf(machines.amd64), true, false],
		[elf(machines.arm64), false, true],
		[Buffer.from('#!/bin/sh\n'.repeat(10)), false, false],
		[Buffer.alloc(0), false, false],
	] as const) {
		writeFileSync(file, bytes);
		t.deepEqual([isCodeOf(file, 'amd64'), isCodeOf(file, 'arm64')], [amd64, arm64]);
	}
	t.true(isCodeOf(process.execPath, own));
});

test('addons of the other architecture lie apart from this machine’s', (t) => {
	t.is(path.relative(projectRoot, addonsDirectory(own)), 'native/build/addons');
	t.is(path.relative(projectRoot, addonsDirectory(other)), `native/build-${other}/addons`);
});

test('an image is made only with addons of its own architecture', async (t) => {
	const whole = await withCheckout(t, elf(machines[other]));
	t.notThrows(() => requireAddons(other, whole.packages, whole.root));
	const wrong = await withCheckout(t, elf(machines[own]));
	t.throws(() => requireAddons(other, wrong.packages, wrong.root), {
		code: 'IMAGE_ADDONS_MISSING',
		message: /gf\.node is of another/u,
	});
	writeFileSync(whole.terminal, elf(machines[own]));
	t.throws(() => requireAddons(other, whole.packages, whole.root), {message: /pty\.node is of another/u});
	const empty = await withDirectory(t);
	t.throws(() => requireAddons(other, {terminal: path.join(empty, 'terminal')}, empty), {
		code: 'IMAGE_ADDONS_MISSING',
		message: /addons is missing; .*terminal is missing; .*better-sqlite3.*is missing/u,
	});
});

test('the packages of this machine’s own code are the installed ones', async (t) => {
	const fetching = {cacheDirectory: await withDirectory(t), signal: AbortSignal.timeout(10_000)};
	const packages = await targetPackages(own, fetching);
	t.deepEqual(Object.keys(packages), [`@lydell/node-pty-${nodeNameOf(own)}`]);
	t.notThrows(() => requireAddons(own, packages));
});
