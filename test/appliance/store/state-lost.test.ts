import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {readStateLost} from '#appliance/store/state-lost.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('what the initrd noted is told with its reason; without a note nothing is lost', async (t) => {
	const directory = await withDirectory(t);
	t.is(readStateLost(directory), undefined);
	t.is(readStateLost(path.join(directory, 'nowhere')), undefined);
	await writeFile(path.join(directory, 'state-lost'), 'it cannot be mounted\n');
	t.regex(readStateLost(directory) ?? '', /^the data partition cannot be used \(it cannot be mounted\): /u);
});

test('a note that cannot be read counts as one', async (t) => {
	const directory = await withDirectory(t);
	await mkdir(path.join(directory, 'state-lost'));
	t.regex(readStateLost(directory) ?? '', /\(EISDIR\)/u);
});
