import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';
import {readInitrdScript} from '#test/image/initrd/initrd-script.ts';

const script = readInitrdScript('scripts/init-bottom/streamverse-state');
const owner = `${process.getuid?.()}:${process.getgid?.()}`;
const modeMask = 0o7777;

/** What lays the declared paths over the root, but for the mounts, which are told. */
const layPaths = [
	script.part(/^newline='\n'$/mu),
	script.functions(['read_kept', 'make_path']),
	script.part(/^read_kept$.*?^done <"\$paths"$/msu),
].join('\n');

type Box = {
	readonly kept: (name: string) => string;
	/** The programs that were run, without what they were told, but for mounts. */
	readonly run: () => readonly string[];
};

const withBox = async (t: ExecutionContext, declared: readonly string[]): Promise<Box> => {
	const root = await withDirectory(t);
	const [paths, told] = [path.join(root, 'paths'), path.join(root, 'told')];
	writeFileSync(paths, declared.map((line) => `${line}\n`).join(''));
	mkdirSync(path.join(root, 'etc'));
	writeFileSync(path.join(root, 'etc/kept.conf'), 'as the image has it\n');
	const tell = (name: string): string => `${name}() { echo ${name} >>${told}; command ${name} "$@"; }`;
	const before = [
		`rootmnt=${root} paths=${paths}`,
		`mount() { shift 2; echo "mount $*" | sed 's,${root},,g' >>${told}; }`,
		'log_failure_msg() { echo "failed: $*"; exit 1; }',
		...['mkdir', 'chmod', 'chown'].map(tell),
	];
	return {
		kept: (name) => path.join(root, 'data/state', name),
		run: () => {
			writeFileSync(told, '');
			const {status, stderr, stdout} = spawnSync('sh', ['-euc', [...before, layPaths].join('\n')], {encoding: 'utf8'});
			t.is(status, 0, stdout + stderr);
			return readFileSync(told, 'utf8').trim().split('\n');
		},
	};
};

const mounts = [
	'mount /data/state/var/lib/one /var/lib/one',
	'mount /data/state/var/lib/two /var/lib/two',
	'mount /data/state/etc/kept.conf /etc/kept.conf',
];
const declared = [
	`directory /var/lib/one 0700 ${owner}`,
	`directory /var/lib/two 2755 ${owner}`,
	'file /etc/kept.conf 0444 0:0',
];
const modeOf = (file: string): number => statSync(file).mode & modeMask;

test('what a box keeps is made once as declared, and from then on only mounted', async (t) => {
	const box = await withBox(t, declared);
	const first = box.run();
	t.deepEqual(
		first.filter((line) => line.startsWith('mount')),
		mounts,
	);
	t.is(modeOf(box.kept('var/lib/one')), 0o700);
	t.is(modeOf(box.kept('var/lib/two')), 0o2755);
	t.is(readFileSync(box.kept('etc/kept.conf'), 'utf8'), 'as the image has it\n');
	t.deepEqual(box.run(), mounts);
});

test('a folder that is not as declared is made so, and its neighbour left alone', async (t) => {
	const box = await withBox(t, declared);
	box.run();
	chmodSync(box.kept('var/lib/two'), 0o777);
	t.deepEqual(box.run(), [mounts[0], 'mkdir', 'chmod', 'chown', ...mounts.slice(1)]);
	t.is(modeOf(box.kept('var/lib/two')), 0o2755);
});
