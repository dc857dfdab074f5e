import test from 'ava';
import fc from 'fast-check';
import {compassPoint, type DishSite, pointDish} from '#appliance/commission/page/dish-pointing.ts';

const visible = (site: DishSite) => {
	const pointing = pointDish(site);
	if (pointing.kind !== 'visible') {
		throw new Error('The satellite is expected above the horizon.');
	}
	return pointing;
};

/**
 * The same geometry another way: vectors from the site to the satellite on an ellipsoid (WGS 84), turned into the site's
 * own east, north and up.
 */
const byVectors = ({latitudeDegrees, longitudeDegrees, satelliteDegreesEast}: DishSite) => {
	const radians = Math.PI / 180;
	const [latitude, longitude] = [latitudeDegrees * radians, longitudeDegrees * radians];
	const [sinLat, cosLat, sinLon, cosLon] = [
		Math.sin(latitude),
		Math.cos(latitude),
		Math.sin(longitude),
		Math.cos(longitude),
	];
	const squaredEccentricity = 0.006_694_38;
	const normal = 6378.137 / Math.sqrt(1 - squaredEccentricity * sinLat ** 2);
	const satellite = satelliteDegreesEast * radians;
	const x = 42_164.17 * Math.cos(satellite) - normal * cosLat * cosLon;
	const y = 42_164.17 * Math.sin(satellite) - normal * cosLat * sinLon;
	const z = -normal * (1 - squaredEccentricity) * sinLat;
	const east = -sinLon * x + cosLon * y;
	const north = -sinLat * cosLon * x - sinLat * sinLon * y + cosLat * z;
	const up = cosLat * cosLon * x + cosLat * sinLon * y + sinLat * z;
	return {
		azimuthDegrees: (Math.atan2(east, north) / radians + 360) % 360,
		elevationDegrees: Math.atan2(up, Math.hypot(east, north)) / radians,
		distanceKm: Math.hypot(x, y, z),
	};
};

type Site = readonly [latitude: number, longitude: number, satellite: number];
type Told = {readonly azimuth: number; readonly elevation: number; readonly skew?: number; readonly distance?: number};

const published = test.macro((t, [latitudeDegrees, longitudeDegrees, satelliteDegreesEast]: Site, told: Told) => {
	const pointing = visible({latitudeDegrees, longitudeDegrees, satelliteDegreesEast});
	t.true(Math.abs(pointing.azimuthDegrees - told.azimuth) < 0.25, `azimuth ${pointing.azimuthDegrees}`);
	t.true(Math.abs(pointing.elevationDegrees - told.elevation) < 0.25, `elevation ${pointing.elevationDegrees}`);
	t.true(Math.abs(pointing.skewDegrees - (told.skew ?? pointing.skewDegrees)) < 0.1, `skew ${pointing.skewDegrees}`);
	t.true(Math.abs(pointing.distanceKm - (told.distance ?? pointing.distanceKm)) < 30, `${pointing.distanceKm} km`);
});

// The table for Astra 19.2° E in the manual of TechniSat's Satenne.
test('Astra from Berlin', published, [52.5222, 13.2975, 19.2], {azimuth: 172.6, elevation: 29.81});
test('Astra from Freiburg', published, [47.9967, 7.8531, 19.2], {azimuth: 164.9, elevation: 33.79});
test('Astra from Dresden', published, [51.0542, 13.7389, 19.2], {azimuth: 173.02, elevation: 31.32});

// As dishpointer.com tells them, with the skew.
test('113° W from São Paulo', published, [-23.5505, -46.6333, -113], {
	...{azimuth: 279.9, elevation: 13.1, skew: -64.6, distance: 40_260},
});
test('113° W from Washington', published, [38.9072, -77.0369, -113], {
	...{azimuth: 229.1, elevation: 31.6, skew: 36, distance: 38_469},
});
test('37.5° W from Berlin', published, [52.52, 13.405, -37.5], {
	...{azimuth: 237.2, elevation: 14.1, skew: 30.8, distance: 40_151},
});
test('138° E from Sydney', published, [-33.8688, 151.2093, 138], {
	...{azimuth: 337.2, elevation: 48.1, skew: -18.8, distance: 37_202},
});
test('37.5° W from Cape Town', published, [-33.9249, 18.4241, -37.5], {
	...{azimuth: 290.7, elevation: 19.5, skew: -50.9, distance: 39_604},
});

test('Hot Bird 13° E from Rome stands almost due south', (t) => {
	const site = {latitudeDegrees: 41.9, longitudeDegrees: 12.5, satelliteDegreesEast: 13};
	const {azimuthDegrees, elevationDegrees, skewDegrees} = visible(site);
	const exact = byVectors(site);
	t.true(Math.abs(azimuthDegrees - exact.azimuthDegrees) < 0.01);
	t.true(Math.abs(elevationDegrees - exact.elevationDegrees) < 0.2);
	t.true(Math.abs(azimuthDegrees - 179.25) < 0.05 && Math.abs(skewDegrees + 0.56) < 0.01);
});

const latitudes = fc.double({min: -70, max: 70, noNaN: true});
const offsets = fc.double({min: -60, max: 60, noNaN: true});
const longitudes = fc.double({min: -180, max: 180, noNaN: true});

test('a satellite overhead is overhead, at the height of its orbit', (t) => {
	for (const degrees of [-180, -61.5, 0, 13, 180]) {
		const {elevationDegrees, skewDegrees, distanceKm} = visible({
			...{latitudeDegrees: 0, longitudeDegrees: degrees, satelliteDegreesEast: degrees},
		});
		t.is(elevationDegrees, 90);
		t.is(skewDegrees, 0);
		t.true(Math.abs(distanceKm - 35_786.03) < 0.1);
	}
});

test('due south or due north stands what is on the site’s own meridian', (t) => {
	t.is(pointDish({latitudeDegrees: 50, longitudeDegrees: 10, satelliteDegreesEast: 10}).azimuthDegrees, 180);
	t.is(pointDish({latitudeDegrees: -50, longitudeDegrees: 10, satelliteDegreesEast: 10}).azimuthDegrees, 0);
});

test('it agrees with vectors on the ellipsoid', (t) => {
	fc.assert(
		fc.property(latitudes, longitudes, offsets, (latitudeDegrees, longitudeDegrees, offset) => {
			const site = {latitudeDegrees, longitudeDegrees, satelliteDegreesEast: longitudeDegrees + offset};
			const pointing = pointDish(site);
			const exact = byVectors(site);
			const turn = Math.abs(pointing.azimuthDegrees - exact.azimuthDegrees);
			const steep = Math.cos((exact.elevationDegrees * Math.PI) / 180);
			return (
				Math.abs(pointing.elevationDegrees - exact.elevationDegrees) < 0.2 &&
				Math.min(turn, 360 - turn) * steep < 0.25 &&
				(pointing.kind === 'below-horizon' || Math.abs(pointing.distanceKm - exact.distanceKm) < 30)
			);
		}),
	);
	t.pass();
});

test('east and west mirror each other, and so do north and south', (t) => {
	fc.assert(
		fc.property(
			fc.double({min: 0.1, max: 70, noNaN: true}),
			fc.double({min: 0.1, max: 60, noNaN: true}),
			(latitude, offset) => {
				const at = (latitudeDegrees: number, satelliteDegreesEast: number) =>
					pointDish({latitudeDegrees, longitudeDegrees: 0, satelliteDegreesEast});
				const [east, west, south] = [at(latitude, offset), at(latitude, -offset), at(-latitude, offset)];
				const same = (one: number, other: number) => Math.abs(one - other) < 1e-6;
				return (
					same(east.elevationDegrees, west.elevationDegrees) &&
					same(east.elevationDegrees, south.elevationDegrees) &&
					same(east.azimuthDegrees + west.azimuthDegrees, 360) &&
					same(east.azimuthDegrees + south.azimuthDegrees, 180) &&
					(east.kind !== 'visible' ||
						(west.kind === 'visible' &&
							south.kind === 'visible' &&
							same(east.skewDegrees, -west.skewDegrees) &&
							same(east.skewDegrees, -south.skewDegrees) &&
							east.skewDegrees < 0))
				);
			},
		),
	);
	t.pass();
});

test('what the Earth hides is below the horizon', (t) => {
	t.is(pointDish({latitudeDegrees: 90, longitudeDegrees: 0, satelliteDegreesEast: 13}).kind, 'below-horizon');
	t.is(pointDish({latitudeDegrees: 40.7, longitudeDegrees: -74, satelliteDegreesEast: 19.2}).kind, 'below-horizon');
	t.is(pointDish({latitudeDegrees: 0, longitudeDegrees: 0, satelliteDegreesEast: 81}).kind, 'visible');
	t.is(pointDish({latitudeDegrees: 0, longitudeDegrees: 0, satelliteDegreesEast: 82}).kind, 'below-horizon');
});

test('the date line is no edge', (t) => {
	const {azimuthDegrees} = pointDish({latitudeDegrees: 10, longitudeDegrees: 179, satelliteDegreesEast: -179});
	t.true(azimuthDegrees > 90 && azimuthDegrees < 180);
});

test('compass points', (t) => {
	t.deepEqual([0, 11, 12, 180, 359].map(compassPoint), ['N', 'N', 'NNE', 'S', 'N']);
});
