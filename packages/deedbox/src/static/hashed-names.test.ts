import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHashedName } from './hashed-names.ts'

const hashed = [
  // Vite, Rollup and Rolldown
  'assets/index-BkX3v9Qd.js',
  'assets/index-D_3kq-zA.css',
  'assets/logo-CG2zXn4e.svg',
  '_nuxt/DlAUqK2U.js',
  'assets/index-BkX3v9Qd.js.map',
  'assets/vendor-react-dom-C4q1tYkM.js',
  // esbuild and Angular
  'main-K5HN2ZWA.js',
  'chunk-ABK23R7D.js',
  'styles-KXZ6Y4PB.css',
  'polyfills-BCDFGHAE.js',
  // webpack and Create React App
  'main.5a3b1c9d2e4f6a7b8c9d.js',
  'static/js/main.073c9b0a.chunk.css',
  '5f2a9bd01c7e4f63a8d2.png',
  'main.8e0d62a1.js',
  'main.8e0d62a1.js.LICENSE.txt',
  '_next/static/chunks/4bd1b696-f785427dddbba9fc.js',
  // Parcel
  'index.a1b2c3d4.js',
  'up_.0c3e5a9f.svg',
]

const plain = [
  'index.html',
  'main.js',
  'jquery-3.7.1.min.js',
  'report-20260101.pdf',
  'report-2026-01-01.pdf',
  'deadbeef.css',
  'app-facade01.js',
  'photo-1280x720.jpg',
  'user-settings.js',
  'Inter-SemiBold.woff2',
  'Inter-ExtraBold.woff2',
  'README-TEMPLATE.md',
  'README-WORKSHOP.pdf',
  'book-CHAPTER2.pdf',
  'book-Chapter1.pdf',
  'case-iPhone15.png',
  'load-DataJSON.js',
  'service-worker.js',
  'sw.js',
  'favicon.ico',
  'robots.txt',
  'bootstrap.bundle.min.js',
  'file-550e8400-e29b-41d4-a716-446655440abc.pdf',
  'invoice-12345678.pdf',
  'v1.2.3.js',
  'page-BkX3v9Qd.html',
  'BkX3v9Qd',
  'a-BkX3v9Q.js',
  'assets-BkX3v9Qd/app.js',
  'my-component.js',
  'x-abcdefgh.js',
  '.well-known/security.txt',
]

test('DF-56 names as bundlers write them hold a hash, and no other do', () => {
  assert.deepEqual(
    hashed.filter(name => !isHashedName(name)),
    [],
  )
  assert.deepEqual(plain.filter(isHashedName), [])
})
