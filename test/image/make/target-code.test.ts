import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {addonsDirectory, isCodeOf, nodeNameOf, requireAddons} from '#image/make/target-code.ts';
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

/** A checkout with what an image for the other architecture needs. */
const withCheckout = async (t: ExecutionContext, addon: Buffer): Promise<string> => {
	const root = await withDirectory(t);
	const node = nodeNameOf(other);
	const files: Readonly<Record<string, Buffer>> = {
		[path.join(path.relative(projectRoot, addonsDirectory(other)), 'gf.node')]: addon,
		[`node_modules/better-sqlite3/prebuilds/${node}.node`]: elf(machines[other]),
		[`node_modules/@lydell/node-pty-${node}/package.json`]: Buffer.from('{}'),
	};
	for (const [name, bytes] of Object.entries(files)) {
		mkdirSync(path.dirname(path.join(root, name)), {recursive: true});
		writeFileSync(path.join(root, name), bytes);
	}
	return root;
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
	t.notThrows(() => requireAddons(other, whole));
	const wrong = await withCheckout(t, elf(machines[own]));
	t.throws(() => requireAddons(other, wrong), {code: 'IMAGE_ADDONS_MISSING', message: /gf\.node is of another/u});
	const empty = await withDirectory(t);
	t.throws(() => requireAddons(other, empty), {
		code: 'IMAGE_ADDONS_MISSING',
		message: /addons is missing; .*better-sqlite3.*is missing; .*node-pty/u,
	});
});
