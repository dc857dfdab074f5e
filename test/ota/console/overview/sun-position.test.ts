import test from 'ava';
import {sunPosition} from '#ota/console/overview/sun-position.ts';

const nearMacro = test.macro((t, at: string, longitude: number, latitude: number) => {
	const [foundLongitude, foundLatitude] = sunPosition(Date.parse(at));
	t.true(Math.abs(foundLongitude - longitude) < 0.5, `longitude ${foundLongitude}`);
	t.true(Math.abs(foundLatitude - latitude) < 0.1, `latitude ${foundLatitude}`);
});

// The equation of time is -7.4 min at the March equinox, -1.8 min in June and +1.8 min in December.
test('at the March equinox the sun is over the equator', nearMacro, '2026-03-20T12:00:00Z', 1.87, -0.04);
test('at the June solstice it is over the tropic of Cancer', nearMacro, '2026-06-21T12:00:00Z', 0.47, 23.44);
test('at the December solstice it is over the tropic of Capricorn', nearMacro, '2026-12-21T12:00:00Z', -0.45, -23.44);
