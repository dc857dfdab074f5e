/** Equatorial radius of the Earth, WGS 84. */
const earthRadiusKm = 6378.137;
/** Of the geostationary orbit, from the Earth's centre (ITU-R S.484). */
const orbitRadiusKm = 42_164.17;

export type DishSite = {
	/** North is positive. */
	readonly latitudeDegrees: number;
	/** East is positive. */
	readonly longitudeDegrees: number;
	/** Of the satellite above the equator; west is negative. */
	readonly satelliteDegreesEast: number;
};

type Direction = {
	/** From true north over east, in [0, 360). A compass shows magnetic north. */
	readonly azimuthDegrees: number;
	/** Above the horizon, without the atmosphere's refraction, which adds at most 0.5 degrees at the horizon itself. */
	readonly elevationDegrees: number;
};

export type DishPointing =
	| (Direction & {
			readonly kind: 'visible';
			/** Of the LNB, for somebody who stands behind the dish and looks at the satellite: clockwise is positive. */
			readonly skewDegrees: number;
			readonly distanceKm: number;
	  })
	| (Direction & {readonly kind: 'below-horizon'});

const toRadians = (degrees: number): number => (degrees * Math.PI) / 180;
const toDegrees = (radians: number): number => (radians * 180) / Math.PI;

/**
 * Where a dish must look. Maral and Bousquet, Satellite Communications Systems, 5th edition, section 8.3 (look angles and
 * polarisation angle): with the site's latitude φ, the satellite's longitude less the site's ΔL, the central angle γ and
 * the radii R of the Earth and r of the orbit,
 *
 *     cos γ  = cos φ cos ΔL
 *     tan El = (cos γ − R/r) / sin γ
 *     tan Az = sin ΔL / (−sin φ cos ΔL)      (the great circle's bearing to the point below the satellite)
 *     tan ψ  = −sin ΔL / tan φ               (the equator's plane against the site's horizon)
 *     d²     = R² + r² − 2 R r cos γ
 *
 * The Earth is a sphere here, which moves no angle by more than 0.2 degrees; a home's dish sees one or two.
 */
export const pointDish = ({latitudeDegrees, longitudeDegrees, satelliteDegreesEast}: DishSite): DishPointing => {
	const latitude = toRadians(latitudeDegrees);
	const difference = toRadians(satelliteDegreesEast - longitudeDegrees);
	const cosCentral = Math.min(1, Math.max(-1, Math.cos(latitude) * Math.cos(difference)));
	const sinCentral = Math.sqrt(1 - cosCentral ** 2);
	const azimuthDegrees =
		(toDegrees(Math.atan2(Math.sin(difference), -Math.sin(latitude) * Math.cos(difference))) + 360) % 360;
	const elevationDegrees = toDegrees(Math.atan2(cosCentral - earthRadiusKm / orbitRadiusKm, sinCentral));
	if (elevationDegrees < 0) {
		return {kind: 'below-horizon', azimuthDegrees, elevationDegrees};
	}
	return {
		...{kind: 'visible', azimuthDegrees, elevationDegrees},
		skewDegrees: skewOf(latitude, difference),
		distanceKm: Math.sqrt(earthRadiusKm ** 2 + orbitRadiusKm ** 2 - 2 * earthRadiusKm * orbitRadiusKm * cosCentral),
	};
};

/** In [−90, 90]: a line of polarisation that is turned by a half is the same. Zero below the satellite, by choice. */
const skewOf = (latitude: number, difference: number): number => {
	const rise = -Math.sin(difference) * (latitude < 0 ? -1 : 1);
	const run = Math.abs(Math.tan(latitude));
	return rise === 0 ? 0 : toDegrees(Math.atan2(rise, run));
};

const points = ['N', 'NNE', 'NE', 'ENE', 'E', 'ESE', 'SE', 'SSE', 'S', 'SSW', 'SW', 'WSW', 'W', 'WNW', 'NW', 'NNW'];

/** The sixteenth of the compass that an azimuth lies in. */
export const compassPoint = (azimuthDegrees: number): string =>
	points[Math.round(azimuthDegrees / 22.5) % points.length] ?? '';
