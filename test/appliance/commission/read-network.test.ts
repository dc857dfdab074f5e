import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {parseGateway, parseGateway6, parseNameServers, readNetwork} from '#appliance/commission/read-network.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
`;

test('the gateway is that of the default route, its bytes the right way round', (t) => {
	t.is(parseGateway(routes), '192.168.1.1');
	t.is(parseGateway(routes.split('\n').slice(0, 2).join('\n')), undefined);
	t.is(parseGateway(''), undefined);
});

test('a network of IPv6 alone has a gateway as well', (t) => {
	const none = '0'.repeat(32);
	const route = (destination: string, gateway: string): string =>
		`${destination} ${none} 00 ${gateway} 00000400 00000003 00000000 00000003 eth0\n`;
	const inside = route('fd000000000000000000000000000000 40', none);
	const nowhere = route(`${none} 00`, none);
	t.is(parseGateway6(inside + nowhere + route(`${none} 00`, 'fe80000000000000000000000000a001')), 'fe80::a001');
	t.is(parseGateway6(inside + nowhere), undefined);
	t.is(parseGateway6(`${none} 00 ${none} 00 fe80`), undefined);
});

test('name servers are read as resolv.conf has them', (t) => {
	t.deepEqual(parseNameServers('# nameserver 1.1.1.1\nsearch home\nnameserver 192.168.1.1\nnameserver fd00::1\n'), [
		'192.168.1.1',
		'fd00::1',
	]);
});

test('only what others reach is told, with its link', async (t) => {
	const directory = await withDirectory(t);
	await mkdir(path.join(directory, 'eth0'));
	await writeFile(path.join(directory, 'eth0/carrier'), '1\n');
	await writeFile(path.join(directory, 'eth0/speed'), '-1\n');
	await writeFile(path.join(directory, 'route'), routes);
	const address = {netmask: '', mac: '', family: 'IPv4', internal: false} as const;
	const facts = await readNetwork({
		interfaces: () => ({
			lo: [{...address, internal: true, address: '127.0.0.1', cidr: '127.0.0.1/8'}],
			eth0: [{...address, address: '192.168.1.7', cidr: '192.168.1.7/24'}],
		}),
		linkDirectory: directory,
		routeFile: path.join(directory, 'route'),
		routeFile6: path.join(directory, 'none'),
		resolverFiles: [path.join(directory, 'none')],
	});
	t.deepEqual(facts, {
		interfaces: [{name: 'eth0', addresses: ['192.168.1.7/24'], link: true}],
		gateway: '192.168.1.1',
		nameServers: [],
	});
});
