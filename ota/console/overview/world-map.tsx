import {geoCircle, geoGraticule10, geoNaturalEarth1, geoPath} from 'd3-geo';
import type {JSX} from 'preact';
import {feature, mesh} from 'topojson-client';
import atlas from 'world-atlas/countries-110m.json';
import type {Overview} from '#ota/contract/box-api.ts';
import {formatCount} from '../format/format-number.ts';
import {formatClock} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';
import {boxesPath, go} from '../state/router.ts';
import {placeLabels} from './place-labels.ts';
import {sunPosition} from './sun-position.ts';
import './world-map.css';

type MapSite = Overview['sites'][number];

const width = 960;
const height = 470;
/** Antarctica has no sites; the room goes to where people live. */
const projection = geoNaturalEarth1().fitExtent(
	[
		[4, 4],
		[width - 4, height + 34],
	],
	{type: 'Sphere'},
);
const path = geoPath(projection).digits(1);
const draw = (shape: Parameters<typeof path>[0]): string => path(shape) ?? '';
const sphere = draw({type: 'Sphere'});
const graticule = draw(geoGraticule10());
const land = draw(feature(atlas, atlas.objects.land));
const borders = draw(mesh(atlas, atlas.objects.countries, (one, other) => one !== other));

/** Civil, nautical and astronomical twilight: the edge of night is soft. */
const twilightDegrees = [0, 6, 12, 18];

export const healthOfSite = (site: MapSite): 'ok' | 'warning' | 'critical' | 'unknown' => {
	if (site.boxes === 0) {
		return 'unknown';
	}
	if (site.critical > 0) {
		return 'critical';
	}
	return site.warning > 0 || site.online < site.boxes ? 'warning' : 'ok';
};

export const WorldMap = ({sites}: {readonly sites: readonly MapSite[]}): JSX.Element => (
	<svg class="world" viewBox={`0 0 ${width} ${height}`} aria-label="Sites of the fleet on a map">
		<path class="world-sea" d={sphere} />
		<path class="world-graticule" d={graticule} />
		<path class="world-land" d={land} />
		<path class="world-borders" d={borders} />
		<Night />
		<Sites sites={sites} />
	</svg>
);

const Night = (): JSX.Element => {
	const [longitude, latitude] = sunPosition(nowMs.value);
	return (
		<g class="world-dark">
			{twilightDegrees.map((degrees) => (
				<path
					key={degrees}
					class="world-night"
					d={draw(
						geoCircle()
							.center([longitude + 180, -latitude])
							.radius(90 - degrees)(),
					)}
				/>
			))}
		</g>
	);
};

const Sites = ({sites}: {readonly sites: readonly MapSite[]}): JSX.Element => {
	const most = Math.max(1, ...sites.map(({boxes}) => boxes));
	const dots = sites
		.toSorted((one, other) => other.boxes - one.boxes)
		.map((site) => {
			const [x, y] = projection([site.longitude, site.latitude]) ?? [0, 0];
			return {site, x, y, radius: 4 + 8 * Math.sqrt(site.boxes / most), text: site.name};
		});
	return (
		<g>
			{placeLabels(dots, {width, height}).map(({site, x, y, radius, label}) => (
				<a
					key={site.id}
					class="world-site"
					data-health={healthOfSite(site)}
					href={boxesPath(`site=${site.id}`)}
					aria-label={`${site.name}: ${formatCount(site.boxes)} boxes, ${formatCount(site.online)} online`}
					onClick={(event) => {
						event.preventDefault();
						go(boxesPath(`site=${site.id}`));
					}}
				>
					<title>
						{`${site.name} · ${formatClock(nowMs.value, site.timeZone)} there\n${formatCount(site.online)} of ${formatCount(site.boxes)} online\n${site.critical} critical, ${site.warning} warning`}
					</title>
					<circle class="world-halo" cx={x} cy={y} r={radius + 5} />
					<circle class="world-dot" cx={x} cy={y} r={radius} />
					{label !== undefined && (
						<text x={label.x} y={label.y} text-anchor={label.anchor}>
							{site.name}
						</text>
					)}
				</a>
			))}
		</g>
	);
};
