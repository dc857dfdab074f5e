import type {Dish} from '#appliance/contract/fleet/commission-report-schema.ts';
import {create, setText} from '../../page/dom.ts';
import type {CommissionState} from '../commission-schema.ts';
import {createAzimuthDial, createElevationDial, createSkewDial} from './dish-drawing.ts';
import {compassPoint, pointDish} from './dish-pointing.ts';
import {createField} from './field.ts';

const degrees = (value: number): string => `${value.toFixed(1).replace('-', '−')}°`;
const nameOf = (east: number): string => `${Math.abs(east).toFixed(1)}° ${east < 0 ? 'West' : 'East'}`;

const turnWords = (skew: number): string => {
	if (Math.abs(skew) < 0.05) {
		return 'upright';
	}
	return `${skew > 0 ? 'clockwise' : 'anticlockwise'}, seen from behind the dish`;
};

/** A number that lies in its input's range; a comma is a point where people write so. */
const numberOf = ({value, min, max}: HTMLInputElement): number | undefined => {
	const number = Number(value.trim().replace('−', '-').replace(',', '.'));
	return value.trim() === '' || !(number >= Number(min) && number <= Number(max)) ? undefined : number;
};

const inputOf = (label: string, name: string, limit: number, hint: string) =>
	createField({
		label,
		name,
		hint,
		attributes: {type: 'number', inputmode: 'decimal', step: 'any', min: -limit, max: limit},
	});

export const createDishPanel = () => {
	const latitude = inputOf('Latitude', 'latitude', 90, 'south is negative');
	const longitude = inputOf('Longitude', 'longitude', 180, 'west is negative');
	const satellite = inputOf('Satellite', 'satellite', 180, '° East, west is negative');
	const dials = {azimuth: createAzimuthDial(), elevation: createElevationDial(), skew: createSkewDial()};
	const figures = create('div', {class: 'dials'}, dials.azimuth.element, dials.elevation.element, dials.skew.element);
	const verdict = create('p', {class: 'verdict', role: 'status'});
	const element = create(
		'section',
		{class: 'panel dish', 'aria-labelledby': 'dish-title'},
		create('h2', {id: 'dish-title'}, 'Point the dish'),
		create('div', {class: 'inputs'}, latitude.element, longitude.element, satellite.element),
		figures,
		verdict,
	);
	const dish = (): Dish | undefined => {
		const latitudeDegrees = numberOf(latitude.input);
		const longitudeDegrees = numberOf(longitude.input);
		const satelliteDegreesEast = numberOf(satellite.input);
		return latitudeDegrees === undefined || longitudeDegrees === undefined || satelliteDegreesEast === undefined
			? undefined
			: {latitudeDegrees, longitudeDegrees, satelliteDegreesEast};
	};
	const draw = (): void => {
		const site = dish();
		const pointing = site && pointDish(site);
		figures.hidden = pointing === undefined;
		verdict.dataset['kind'] = pointing?.kind ?? 'unknown';
		if (site === undefined || pointing === undefined) {
			setText(verdict, 'Say where the dish stands: any map on a telephone shows latitude and longitude.');
			return;
		}
		const {azimuthDegrees, elevationDegrees} = pointing;
		dials.azimuth.turnTo(azimuthDegrees);
		dials.azimuth.tell(degrees(azimuthDegrees), `${compassPoint(azimuthDegrees)}, from true north`);
		dials.elevation.turnTo(elevationDegrees);
		dials.elevation.tell(
			degrees(elevationDegrees),
			pointing.kind === 'visible' ? 'above the horizon' : 'below the horizon',
		);
		dials.skew.element.hidden = pointing.kind !== 'visible';
		if (pointing.kind === 'below-horizon') {
			setText(
				verdict,
				`The satellite at ${nameOf(site.satelliteDegreesEast)} is below the horizon here: no dish can see it.`,
			);
			return;
		}
		dials.skew.turnTo(pointing.skewDegrees);
		dials.skew.tell(degrees(pointing.skewDegrees), turnWords(pointing.skewDegrees));
		const distance = Math.round(pointing.distanceKm).toLocaleString('en');
		setText(verdict, `The satellite at ${nameOf(site.satelliteDegreesEast)} is ${distance} km away.`);
	};
	element.addEventListener('input', draw);
	let filled = false;
	return {
		element,
		dish,
		/** Only once: what the technician typed is not overwritten by what the box's file says. */
		update: (state: CommissionState) => {
			if (filled) {
				return;
			}
			filled = true;
			element.hidden = state.box.kind === 'pop-node';
			satellite.input.value = String(state.dish.satelliteDegreesEast);
			latitude.input.value = state.dish.latitudeDegrees?.toString() ?? '';
			longitude.input.value = state.dish.longitudeDegrees?.toString() ?? '';
			draw();
		},
	};
};
