import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {readFirewallFault} from '#appliance/supervisor/firewall-fault.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a firewall whose rules were refused is told of, and what holds in their place', async (t) => {
	const directory = await withDirectory(t);
	const note = path.join(directory, 'firewall-failed');
	t.is(readFirewallFault(directory), undefined);
	await writeFile(note, 'closed\n');
	t.regex(readFirewallFault(directory) ?? '', /nobody in the home is answered$/u);
	await writeFile(note, '');
	t.regex(readFirewallFault(directory) ?? '', /every port is open$/u);
});

test('a note that cannot be read counts as one', async (t) => {
	const directory = await withDirectory(t);
	await mkdir(path.join(directory, 'firewall-failed'));
	t.is(readFirewallFault(directory), 'the firewall’s rules cannot be loaded');
});
