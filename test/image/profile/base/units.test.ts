import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const overlay = path.join(imageDirectory, 'profile/base/overlay');
const units = path.join(overlay, 'usr/lib/systemd/system');
const ours = readdirSync(units).filter((name) => /\.(?:service|mount|timer|path|socket)$/u.test(name));
const services = ours.filter((name) => name.endsWith('.service'));
const exposureMax = 3;
/** Root as root is: what holds it is who may start it, and that no unit does. */
const unconfined = 'streamverse-root-shell@.service';
/** Debian's own, of which the figure is only told. */
const theirs = ['rauc.service', 'avahi-daemon.service', 'chrony.service'];

/** This machine's units with ours over them, and programs of ours that do nothing: as much of a box as systemd looks at. */
const withRoot = async (t: ExecutionContext): Promise<string> => {
	const root = await withDirectory(t);
	cpSync('/usr/lib/systemd/system', path.join(root, 'usr/lib/systemd/system'), {
		recursive: true,
		verbatimSymlinks: true,
	});
	cpSync(overlay, root, {recursive: true});
	for (const name of ['usr/lib/streamverse/bin/node', 'bin/sh']) {
		mkdirSync(path.dirname(path.join(root, name)), {recursive: true});
		writeFileSync(path.join(root, name), '#!/bin/sh\n');
		chmodSync(path.join(root, name), 0o755);
	}
	return root;
};

const verify = (root: string): readonly string[] => {
	const {stdout, stderr} = spawnSync('systemd-analyze', ['verify', '--man=no', `--root=${root}`, ...ours], {
		encoding: 'utf8',
	});
	return `${stdout}${stderr}`.split('\n').filter((line) => ours.some((unit) => line.includes(unit)));
};

const exposureOf = (file: string): number => {
	const {stdout, stderr} = spawnSync('systemd-analyze', ['security', '--offline=true', file], {
		encoding: 'utf8',
		env: {...process.env, SYSTEMD_COLORS: '0'},
	});
	return Number(/Overall exposure level for \S+: ([\d.]+)/u.exec(`${stdout}${stderr}`)?.[1] ?? Number.NaN);
};

test('systemd finds nothing wrong in our units', async (t) => {
	t.true(ours.length >= 4);
	const root = await withRoot(t);
	t.deepEqual(verify(root), []);
});

test('and would', async (t) => {
	const root = await withRoot(t);
	const file = path.join(root, 'usr/lib/systemd/system/streamverse.service');
	writeFileSync(file, readFileSync(file, 'utf8').replace('ProtectSystem=', 'ProtectSytem='));
	t.regex(verify(root).join('\n'), /ProtectSytem/u);
});

for (const service of services.filter((name) => name !== unconfined)) {
	test(`the exposure of ${service} is under ${exposureMax}`, (t) => {
		const exposure = exposureOf(path.join(units, service));
		t.log(`${service}: ${exposure}`);
		t.true(exposure < exposureMax, `${exposure}`);
	});
}

test('what is unconfined is started by nothing that starts by itself', (t) => {
	t.true(services.includes(unconfined));
	const [stem = ''] = unconfined.split('@');
	for (const unit of ours) {
		const text = readFileSync(path.join(units, unit), 'utf8').replaceAll(/^#.*$/gmu, '');
		t.false(text.includes(stem), unit);
	}
	t.notRegex(readFileSync(path.join(units, unconfined), 'utf8'), /^\[Install\]/mu);
});

test('of what Debian brings, the exposure is told', (t) => {
	const present = theirs.filter((name) => existsSync(path.join('/usr/lib/systemd/system', name)));
	const told = present.map((service) => exposureOf(path.join('/usr/lib/systemd/system', service)));
	t.log(present.map((service, index) => `${service}: ${told[index]}`).join(', '));
	t.true(told.every((exposure) => exposure > 0 && exposure <= 10));
});

test('each unit that can be enabled is, and nothing else starts by itself', (t) => {
	const preset = readFileSync(path.join(overlay, 'usr/lib/systemd/system-preset/00-streamverse.preset'), 'utf8');
	const lines = preset.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
	t.is(lines.at(-1), 'disable *');
	for (const unit of ours) {
		const isInstalled = /^\[Install\]$/mu.test(readFileSync(path.join(units, unit), 'utf8'));
		t.is(lines.includes(`enable ${unit}`), isInstalled, unit);
	}
	t.false(
		lines.some((line) => /ssh|telnet|getty/u.test(line)),
		'no way in but the fleet’s',
	);
});

test('the users that units and state name are declared, and systemd takes the declaration', async (t) => {
	const file = path.join(overlay, 'usr/lib/sysusers.d/streamverse.conf');
	// The last is made by Debian's package of chrony.
	const declared = [...readFileSync(file, 'utf8').matchAll(/^u (\S+)/gmu)]
		.map(([, name]) => name ?? '')
		.concat('_chrony');
	for (const service of services) {
		const user = /^User=(.*)$/mu.exec(readFileSync(path.join(units, service), 'utf8'))?.[1];
		t.true(user === undefined || declared.includes(user), `${service} runs as ${user}`);
	}
	const root = await withDirectory(t);
	mkdirSync(path.join(root, 'etc'));
	t.notThrows(() => execFileSync('systemd-sysusers', ['--dry-run', `--root=${root}`, file], {stdio: 'pipe'}));
});
