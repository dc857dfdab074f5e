/** GF(2^8) with the polynomial of RFC 5510 section 8.1, written for clearness and apart from the code that it checks. */
const primitivePolynomial = 0x1_1d;
const order = 255;

const powers: readonly number[] = Array.from({length: order}).reduce<number[]>((all) => {
	const next = (all.at(-1) ?? 0) << 1;
	return all.length === 0 ? [1] : [...all, next > order ? next ^ primitivePolynomial : next];
}, []);

export const alphaPower = (exponent: number): number => powers[exponent % order] ?? 0;

const multiply = (a: number, b: number): number =>
	a === 0 || b === 0 ? 0 : alphaPower(powers.indexOf(a) + powers.indexOf(b));

const divide = (a: number, b: number): number =>
	a === 0 ? 0 : alphaPower(powers.indexOf(a) + order - powers.indexOf(b));

/** The value at `x` of the polynomial of least degree through the points (Lagrange); subtraction is exclusive or. */
export const interpolate = (points: readonly {readonly x: number; readonly y: number}[], x: number): number =>
	points.reduce(
		(sum, point) =>
			sum ^
			points
				.filter((other) => other !== point)
				.reduce((product, other) => multiply(product, divide(x ^ other.x, point.x ^ other.x)), point.y),
		0,
	);
