import test from 'ava';
import {chooseModcod} from '#cli/modem/choose-modcod.ts';

const normal = {frame: 'normal', pilots: true} as const;

test('a MODCOD is known by its name in any dress, by the rate of its code, and by its PLS value', (t) => {
	for (const modcod of ['8PSK 3/4', '8psk-3/4', '8PSK_3/4', '57']) {
		t.is(chooseModcod({...normal, modcod}).pls, 57);
	}
	t.is(chooseModcod({modcod: '32APSK 11/15', frame: 'normal', pilots: false}).rate, '132/180');
	t.is(chooseModcod({modcod: '256APSK 135/180', ...normal}).pls, 215);
});

test('what there is not is answered with what resembles it', (t) => {
	const error = t.throws(() => chooseModcod({modcod: 'QPSK 9/10', frame: 'short', pilots: true}), {
		code: 'CLI_MODCOD_UNKNOWN',
	});
	t.regex(error?.message ?? '', /QPSK 9\/10 normal/u);
	t.throws(() => chooseModcod({modcod: '0', ...normal}), {code: 'CLI_MODCOD_UNKNOWN'});
});
