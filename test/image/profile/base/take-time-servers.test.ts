import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/take-time-servers');

/** A box whose network tells what is written into its state, with a chrony that notes how often it is called. */
const withNetwork = async (t: ExecutionContext) => {
	const root = await withDirectory(t);
	const [state, sources, called] = ['state', 'sources', 'called'].map((name) => path.join(root, name)) as [
		string,
		string,
		string,
	];
	mkdirSync(sources);
	writeFileSync(path.join(root, 'chronyc'), `#!/bin/sh\necho "$@" >>"${called}"\nexit 1\n`);
	chmodSync(path.join(root, 'chronyc'), 0o755);
	const told = path.join(sources, 'network.sources');
	return {
		tell: (text: string) => {
			writeFileSync(state, text);
			const {status} = spawnSync(script, [state, sources], {env: {PATH: `${root}:/usr/bin:/bin`}});
			return status;
		},
		sources: () => (existsSync(told) ? readFileSync(told, 'utf8') : undefined),
		calls: () => (existsSync(called) ? readFileSync(called, 'utf8').trim().split('\n') : []),
	};
};

test('what the network tells is chrony’s, which is told once, and lives without', async (t) => {
	const {tell, sources, calls} = await withNetwork(t);
	t.is(tell('OPER_STATE=routable\nDNS=192.0.2.53\nNTP=192.0.2.1 2001:db8::1 time.example\n'), 0);
	t.is(sources(), 'server 192.0.2.1 iburst\nserver 2001:db8::1 iburst\nserver time.example iburst\n');
	t.is(tell('OPER_STATE=degraded\nNTP=192.0.2.1 2001:db8::1 time.example\n'), 0);
	t.deepEqual(calls(), ['reload sources']);
	t.is(tell('OPER_STATE=routable\nNTP=192.0.2.9\n'), 0);
	t.is(sources(), 'server 192.0.2.9 iburst\n');
	t.is(tell('OPER_STATE=routable\n'), 0);
	t.is(sources()?.trim(), '');
	t.is(calls().length, 3);
});

test('a network that tells nothing changes nothing', async (t) => {
	const {tell, sources, calls} = await withNetwork(t);
	t.is(tell('OPER_STATE=routable\n'), 0);
	t.is(sources(), undefined);
	t.deepEqual(calls(), []);
});

test('a name that is none is left out, and there are not too many', async (t) => {
	const {tell, sources} = await withNetwork(t);
	const many = Array.from({length: 20}, (_, index) => `192.0.2.${index}`);
	t.is(tell(`NTP=$(reboot) a;b ../x ${many.join(' ')}\n`), 0);
	t.is(sources()?.trim().split('\n').length, 8);
	t.true(sources()?.startsWith('server 192.0.2.0 iburst\n'));
});
