import test from 'ava';
import {isSeededNetworkFile, networkFilesOf, networkSeedSchema} from '#image/seed/network-seed.ts';

const hardwareAddress = '52:54:00:00:01:0a';

test('a card gets its addresses, its gateway and its servers of names and time, and asks nobody', (t) => {
	const network = networkSeedSchema.parse([
		{
			hardwareAddress,
			addresses: ['192.0.2.1/24', '2001:db8::1/64'],
			gateway: '192.0.2.254',
			nameServers: ['192.0.2.53'],
			timeServers: ['192.0.2.123', 'time.example'],
		},
	]);
	const [[name, text] = ['', '']] = networkFilesOf(network);
	t.is(name, '60-seed-52540000010a.network');
	t.true(isSeededNetworkFile(name));
	const expected = [
		...['[Match]', 'MACAddress=52:54:00:00:01:0a', '', '[Link]', 'Multicast=yes', '', '[Network]', 'DHCP=no'],
		...['LinkLocalAddressing=ipv6', 'Address=192.0.2.1/24', 'Address=2001:db8::1/64'],
		...['Gateway=192.0.2.254', 'DNS=192.0.2.53', 'NTP=192.0.2.123', 'NTP=time.example', ''],
	];
	t.is(text, expected.join('\n'));
});

const isRefused = test.macro((t, change: Readonly<Record<string, unknown>>) => {
	t.false(networkSeedSchema.safeParse([{hardwareAddress, addresses: ['192.0.2.1/24'], ...change}]).success);
});

test('an address without its prefix is refused', isRefused, {addresses: ['192.0.2.1']});
test('a card without an address', isRefused, {addresses: []});
test('a hardware address that is none', isRefused, {hardwareAddress: '52:54:00'});
test('a gateway with a line behind it', isRefused, {gateway: '192.0.2.1\nDHCP=yes'});
test('a time server with a line behind it', isRefused, {timeServers: ['time.example\nDHCP=yes']});
test('a key that nobody knows', isRefused, {mtu: 9000});
