import test from 'ava';
import {judgeCommission} from '#appliance/commission/judge-commission.ts';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';

/** Of a headend, whose checks need no picture, on one card. */
const judgeNetwork = (addresses: readonly string[], gateway?: string) =>
	judgeCommission({
		box: {id: deviceIdSchema.parse('headend-1'), kind: 'headend', release: '1.0.0'},
		network: {
			interfaces: addresses.length === 0 ? [] : [{name: 'eth0', addresses: [...addresses]}],
			nameServers: ['192.168.1.1'],
			...(gateway === undefined ? {} : {gateway}),
		},
		...{
			time: {nowMs: 0},
			disk: undefined,
			stateLost: undefined,
			fleet: undefined,
			services: [],
			reasons: [],
			picture: {},
		},
	}).find(({name}) => name === 'network');

test('what a box has given itself is no address of the network', (t) => {
	t.like(judgeNetwork([]), {outcome: 'bad', detail: 'No address: look at the cable and the router.'});
	const ownOnly = {outcome: 'bad', detail: 'The network gave the box no address: look at the router.'};
	t.like(judgeNetwork(['169.254.7.9/16', 'fe80::5054:ff:fe00:1/64']), ownOnly);
	t.like(judgeNetwork(['FEBF::1/64']), ownOnly);
	t.like(judgeNetwork(['169.254.7.9/16', '192.168.1.7/24']), {
		outcome: 'bad',
		detail: 'No gateway: the box has an address, and no way out of the home.',
	});
	t.like(judgeNetwork(['fe80::1/64', '2001:db8::7/64'], 'fe80::a001'), {outcome: 'good'});
});
