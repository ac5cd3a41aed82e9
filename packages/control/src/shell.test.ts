import { expect, test } from 'vitest';
import fc from 'fast-check';
import { FRAMES, FrameReader, encodeFrame } from './shell.ts';

test('frames come out as they went in, wherever the bytes are cut', () => {
  const frame = fc.record({ kind: fc.constantFrom(...FRAMES), payload: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (frames, size) => {
      const bytes = frames.flatMap(({ kind, payload }) => [...encodeFrame(kind, payload)]);
      const reader = new FrameReader();
      const read = [];
      for (let at = 0; at < bytes.length; at += size) {
        read.push(...reader.push(Uint8Array.from(bytes.slice(at, at + size))));
      }
      expect(read).toEqual(frames);
    }),
  );
});

test('other bytes are refused', () => {
  expect(() => new FrameReader().push(Uint8Array.from([9, 0, 0, 0, 0]))).toThrow('no frames');
  expect(() => new FrameReader().push(Uint8Array.from([0, 255, 0, 0, 0]))).toThrow('no frames');
});
