import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {keepPort} from '#ota/fleet/device/keep-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a free port is kept, a configured one is taken, and a torn file is made anew', async (t) => {
	const stateDirectory = join(await withDirectory(t), 'state');
	const options = {host: '127.0.0.1', name: 'x', stateDirectory};
	const first = await keepPort({...options, port: 0});
	t.true(first > 0);
	t.is(await keepPort({...options, port: 0}), first);
	t.is(await keepPort({...options, port: 8443}), 8443);
	await writeFile(join(stateDirectory, 'port-x'), '99x');
	t.not(await keepPort({...options, port: 0}), 0);
});

test('no two listeners of a server are given the same port, though none of them listens yet', async (t) => {
	const stateDirectory = await withDirectory(t);
	const ports = new Set<number>();
	for (let index = 0; index < 200; index += 1) {
		ports.add(await keepPort({port: 0, host: '127.0.0.1', name: `n${index}`, stateDirectory}));
	}
	t.is(ports.size, 200);
});
