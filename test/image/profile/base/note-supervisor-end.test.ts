import {execFileSync} from 'node:child_process';
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/note-supervisor-end');

test('an end of the supervisor is noted as systemd tells it, but not when the box is shut down', async (t) => {
	const root = await withDirectory(t);
	const [journal, slot] = [path.join(root, 'journal'), path.join(root, 'slot')];
	writeFileSync(journal, '');
	writeFileSync(slot, 'B\n');
	const end = (systemState: string): string => {
		writeFileSync(path.join(root, 'systemctl'), `#!/bin/sh\necho ${systemState}\n`);
		chmodSync(path.join(root, 'systemctl'), 0o755);
		const told = {SERVICE_RESULT: 'exit-code', EXIT_CODE: 'exited', EXIT_STATUS: '3'};
		execFileSync(script, [journal, slot], {env: {...told, PATH: `${root}:${process.env['PATH']}`}});
		return readFileSync(journal, 'utf8');
	};
	t.is(end('stopping'), '');
	const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	t.is(end('starting'), `${boot} B supervisor-ended exit-code exited 3\n`);
});
