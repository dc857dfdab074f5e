import test from 'ava';
import {repairUrl} from '#stb/repair/repair-url.ts';

const objectBaseUri = 'http://dvb.gw/streamverse/';

test('an object URI keeps what follows the base, below the base URL', (t) => {
	t.is(
		repairUrl({
			objectUri: `${objectBaseUri}vod/x/seg%201.m4s`,
			objectBaseUri,
			baseUrl: 'http://pop.example:8082/repair/',
		}),
		'http://pop.example:8082/repair/vod/x/seg%201.m4s',
	);
	t.is(
		repairUrl({objectUri: `${objectBaseUri}a`, objectBaseUri, baseUrl: 'http://pop.example/repair'}),
		'http://pop.example/repair/a',
	);
});

for (const objectUri of [
	'http://dvb.gw/other/a',
	'http://evil.example/streamverse/a',
	`${objectBaseUri}../../admin`,
	`${objectBaseUri}%2e%2e/%2e%2e/admin`,
]) {
	test(`what would leave the base is refused: ${objectUri}`, (t) => {
		t.throws(() => repairUrl({objectUri, objectBaseUri, baseUrl: 'http://pop.example/repair/x/'}), {
			code: 'STB_REPAIR_URI_OUTSIDE',
		});
	});
}
