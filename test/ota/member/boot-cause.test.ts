import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {openBootRecord} from '#ota/member/boot-cause.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a boot is told once, however often the membership has to be opened', async (t) => {
	const directory = await withDirectory(t);
	const open = (bootId: string) => openBootRecord({directory, bootId, release: '1.0.0', logger: silentLogger()});
	const first = await open('boot-1');
	t.is(first.event()?.data.cause, 'unknown');
	await first.told();
	t.is(first.event(), undefined, 'a membership that failed after it tells nothing again');
	t.is((await open('boot-1')).event(), undefined, 'nor does a supervisor that was only started anew');
	await first.willReboot('update', 'into the other slot');
	t.false(first.mayBeFallback);
	t.true((await open('boot-2')).mayBeFallback, 'the other slot may have been tried, and left');
	t.like((await open('boot-2')).event()?.data, {cause: 'update', detail: 'into the other slot', bootId: 'boot-2'});
});
