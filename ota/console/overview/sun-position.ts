const j2000Ms = Date.UTC(2000, 0, 1, 12);
const toDegrees = 180 / Math.PI;
const sine = (degrees: number): number => Math.sin(degrees / toDegrees);
const cosine = (degrees: number): number => Math.cos(degrees / toDegrees);

const normalized = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;

/**
 * Where the sun stands in the zenith, `[longitude, latitude]` in degrees: the Astronomical Almanac's low precision
 * formula (0.01° between 1950 and 2050), and Greenwich mean sidereal time.
 */
export const sunPosition = (atMs: number): [number, number] => {
	const days = (atMs - j2000Ms) / 86_400_000;
	const anomaly = 357.528 + 0.9856003 * days;
	const ecliptic = 280.46 + 0.9856474 * days + 1.915 * sine(anomaly) + 0.02 * sine(2 * anomaly);
	const obliquity = 23.439 - 0.0000004 * days;
	const ascension = Math.atan2(cosine(obliquity) * sine(ecliptic), cosine(ecliptic)) * toDegrees;
	const declination = Math.asin(sine(obliquity) * sine(ecliptic)) * toDegrees;
	const siderealDegrees = (18.697374558 + 24.06570982441908 * days) * 15;
	return [normalized(ascension - siderealDegrees), declination];
};
