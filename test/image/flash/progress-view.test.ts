import test from 'ava';
import type {FlashOutcome} from '#image/flash/flash-image.ts';
import {createProgressView} from '#image/flash/progress-view.ts';

const done: FlashOutcome = {
	kind: 'done',
	...{device: '/dev/sdb', writtenBytes: 460_000_000, resumedBytes: 0},
	...{isVerifiedDirect: true, isTableOwn: true},
};

const told = (outcome: FlashOutcome): string => {
	const parts: string[] = [];
	createProgressView({isTTY: false, write: (part: string) => parts.push(part) > 0}).end(outcome);
	return parts.join('');
};

test('what a disk lacks is told with its success', (t) => {
	t.is(told(done), '/dev/sdb: written and verified, 460 MB; it can be taken out\n');
	t.regex(told({...done, isTableOwn: false}), /for want of sgdisk: never plug two such disks into one box\); it can/u);
	t.regex(
		told({...done, isVerifiedDirect: false, resumedBytes: 1e6}),
		/1 MB were there already \(through this computer/u,
	);
	t.regex(told({kind: 'failed', device: '/dev/sdb', error: new Error('gone')}), /^\/dev\/sdb: FAILED\. gone$/mu);
});
