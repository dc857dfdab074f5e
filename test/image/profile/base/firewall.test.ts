import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {cpSync, existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const profile = path.join(imageDirectory, 'profile');
const timeoutMs = 60_000;
const ownNetwork = ['--map-root-user', '--net'];

/** An image has no such package, whose files tell which number the name of a protocol stands for. */
const withoutNetbase =
	'for file in /etc/protocols /etc/services; do [ ! -e $file ] || mount --bind /dev/null $file; done';

/** A network namespace of one's own may be forbidden, as in a container; then these are shown as skipped. */
const isAllowed = spawnSync('unshare', [...ownNetwork, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const networkTest = isAllowed ? test : test.skip;

/** The rules as a box of the kind has them, but for the folder that they include. */
const rulesOf = async (t: ExecutionContext, kind: BoxKind): Promise<string> => {
	const directory = await withDirectory(t);
	for (const name of ['base', kind]) {
		const overlay = path.join(profile, name, 'overlay/etc');
		if (existsSync(overlay)) {
			cpSync(overlay, path.join(directory, 'etc'), {recursive: true});
		}
	}
	const file = path.join(directory, 'etc/nftables.conf');
	const sed = ['--in-place', `s#"/etc/nftables.d#"${directory}/etc/nftables.d#`, file];
	execFileSync('sed', sed);
	return file;
};

for (const kind of boxKinds) {
	networkTest(`nft takes the rules of a ${kind}, and takes them again`, async (t) => {
		const file = await rulesOf(t, kind);
		const {status, stderr} = spawnSync(
			'unshare',
			[
				...ownNetwork,
				'--mount',
				'sh',
				'-euc',
				`${withoutNetbase}; "$2" --check --file "$1"; "$2" --file "$1"; "$2" --file "$1"`,
				'sh',
				file,
				'/usr/sbin/nft',
			],
			{encoding: 'utf8'},
		);
		t.is(stderr, '');
		t.is(status, 0);
	});
}

/** Two machines on a wire, of which the first has the rules; each is a namespace that goes with the script. */
const pair = `
trap 'kill $(jobs -p) 2>/dev/null' EXIT
unshare --net sleep 120 &
home=$!
until [ "$(readlink /proc/$home/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat /proc/$home/comm)" = sleep ]; do :; done
ip link set lo up
ip link add box type veth peer name home netns $home
ip address add 192.0.2.1/24 dev box
ip link set box up
nsenter --target $home --net ip address add 192.0.2.2/24 dev home
nsenter --target $home --net ip link set home up
/usr/sbin/nft --file "$1"
coproc "$2" "$3" serve "$4" "$5"
read -r ready <&"\${COPROC[0]}"
[ "$ready" = ready ]
nsenter --target $home --net "$2" "$3" probe 192.0.2.1 "$4" "$5"
`;

const closing = (result: string) => `SERVICE_RESULT=${result} "$close" "$rules" "$note"`;
const closeScript = [
	'close=$1 rules=$2 note=$3',
	`${closing('success')}; [ ! -e "$note" ]; [ -z "$(nft list ruleset)" ]`,
	`${closing('exit-code')}; cat "$note"; nft list chain inet filter input`,
	`rules=/nowhere; ${closing('exit-code')} 2>/dev/null; cat "$note"`,
].join('\n');

networkTest('a box whose rules are refused answers nobody in the home, and notes it', async (t) => {
	const lib = path.join(profile, 'base/overlay/usr/lib/streamverse');
	const note = path.join(await withDirectory(t), 'run/firewall-failed');
	const files = [path.join(lib, 'bin/close-firewall'), path.join(lib, 'closed.nft'), note];
	const {status, stdout, stderr} = spawnSync(
		'unshare',
		[...ownNetwork, '--mount', 'sh', '-euc', `${withoutNetbase}\n${closeScript}`, 'sh', ...files],
		{encoding: 'utf8', env: {...process.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin'}},
	);
	t.is(stderr, '');
	t.is(status, 0);
	t.regex(stdout, /^closed\ntable inet filter \{.*policy drop;.*\}\nopen\n$/su);
	t.deepEqual(
		[...stdout.matchAll(/tcp dport (.*) accept/gu)].map(([, ports]) => ports),
		['8078'],
	);
});

const tcpPorts = [22, 443, 8080, 1883, 80];
const answering: Readonly<Record<BoxKind, readonly string[]>> = {
	headend: ['tcp 80', 'udp 68'],
	'pop-node': ['tcp 80', 'udp 68'],
	stb: ['tcp 80', 'udp 5000', 'udp 5353', 'udp 68'],
};
const udpPorts = [53, 500, 5000, 5353, 68];

const probe = async (rules: string): Promise<unknown> => {
	const prober = path.join(projectRoot, 'test/fake/port-prober.ts');
	const lists = [tcpPorts.join(','), udpPorts.join(',')];
	const {stdout} = await promisify(execFile)(
		'unshare',
		[...ownNetwork, 'bash', '-euc', pair, 'bash', rules, process.execPath, prober, ...lists],
		{timeout: timeoutMs},
	);
	return JSON.parse(stdout);
};

networkTest('without rules every port answers, so that silence below is theirs', async (t) => {
	const none = path.join(await withDirectory(t), 'none.nft');
	writeFileSync(none, 'flush ruleset\n');
	t.deepEqual(
		await probe(none),
		[...tcpPorts.map((port) => `tcp ${port}`), ...udpPorts.map((port) => `udp ${port}`)].sort(),
	);
});

for (const kind of boxKinds) {
	networkTest(`a ${kind} answers where its role does, and is silent elsewhere`, async (t) => {
		t.deepEqual(await probe(await rulesOf(t, kind)), answering[kind]);
	});
}
