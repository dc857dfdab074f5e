import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '#native/project-root.ts';

/** What git tracks or would track below image/, and a shell runs. */
const scripts = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'image'], {
	cwd: projectRoot,
	encoding: 'utf8',
})
	.split('\n')
	.filter((file) => file !== '' && statSync(path.join(projectRoot, file), {throwIfNoEntry: false})?.isFile() === true)
	.filter((file) =>
		/^#!\/(?:usr\/bin\/env |bin\/)(?:ba)?sh\n/u.test(readFileSync(path.join(projectRoot, file), 'utf8')),
	);

/** Scripts of the initrd read files that only the target has; mmdebstrap's hooks are expanded by a shell of their own. */
const excluded = '--exclude=SC1091,SC2016';

test('shellcheck finds nothing in the scripts of an image', (t) => {
	t.true(['image/stage/20-system.sh', 'image/initrd/hooks/streamverse'].every((file) => scripts.includes(file)));
	const {stdout, status} = spawnSync('shellcheck', [excluded, '--format=gcc', ...scripts], {
		cwd: projectRoot,
		encoding: 'utf8',
	});
	t.is(stdout, '');
	t.is(status, 0);
});

test('each says that it stops at the first failure, and may be run', (t) => {
	for (const file of scripts) {
		t.regex(readFileSync(path.join(projectRoot, file), 'utf8'), /^set -e/mu, file);
		const isCopied = file.startsWith('image/initrd/');
		t.true(isCopied || (statSync(path.join(projectRoot, file)).mode & 0o111) === 0o111, file);
	}
});

test('each stage tells in its head what it reads and writes', (t) => {
	for (const file of scripts.filter((name) => name.startsWith('image/stage/'))) {
		const head = readFileSync(path.join(projectRoot, file), 'utf8').split('set -euo pipefail')[0] ?? '';
		t.regex(head, /Reads SV_/u, file);
		t.regex(head, /writes SV_/u, file);
	}
});
