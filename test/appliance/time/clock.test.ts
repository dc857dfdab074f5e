import test from 'ava';
import {fromNtpSeconds, toNtpSeconds} from '#appliance/time/clock.ts';

test('NTP seconds count from 1900', (t) => {
	t.is(toNtpSeconds(0), 2_208_988_800);
	t.is(toNtpSeconds(1999), 2_208_988_801);
	t.is(fromNtpSeconds(toNtpSeconds(1_700_000_000_000)), 1_700_000_000_000);
});
