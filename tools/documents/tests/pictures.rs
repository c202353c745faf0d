//! Pictures made here, as a model gets them.
#![allow(clippy::unwrap_used, reason = "tests")]

use chiton_documents::{Error, LONGEST_SIDE, Picture, picture, picture_format};
use image::{DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn stripes(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| if x / 8 % 2 == 0 { Rgb([200, 30, 30]) } else { Rgb([20, 20, 220]) }).into()
}

fn seen(picture: &Picture) -> DynamicImage {
    image::load_from_memory(&picture.data).unwrap()
}

#[test]
fn every_format_is_told_by_its_bytes_and_read() {
    for (format, name, mime) in [
        (ImageFormat::Png, "PNG", "image/png"),
        (ImageFormat::Jpeg, "JPEG", "image/jpeg"),
        (ImageFormat::Gif, "GIF", "image/png"),
        (ImageFormat::WebP, "WebP", "image/png"),
        (ImageFormat::Bmp, "BMP", "image/png"),
    ] {
        let file = file(&stripes(64, 48), format);
        assert_eq!(picture_format(&file), Some(name));
        let picture = picture(&file).unwrap();
        assert_eq!(picture.title, format!("{name} picture, 64 x 48 pixels"));
        assert_eq!((picture.mime, seen(&picture).dimensions()), (mime, (64, 48)));
    }
}

#[test]
fn a_large_picture_is_scaled_and_its_size_is_told() {
    let picture = picture(&file(&stripes(3136, 200), ImageFormat::Png)).unwrap();
    assert_eq!(seen(&picture).dimensions(), (LONGEST_SIDE, 100));
    assert_eq!(picture.title, "PNG picture, 3136 x 200 pixels, scaled to 1568 x 100");
}

#[test]
fn what_png_does_not_make_small_becomes_jpeg_on_white() {
    let mut noise = 1_u32;
    let image = RgbaImage::from_fn(900, 900, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [red, green, blue, alpha] = noise.to_be_bytes();
        Rgba([red, green, blue, alpha / 128 * 255])
    });
    let picture = picture(&file(&image.into(), ImageFormat::Png)).unwrap();
    assert_eq!(picture.mime, "image/jpeg");
    assert!(picture.data.len() <= 1 << 20);
}

#[test]
fn a_photo_that_was_taken_sideways_stands_upright() {
    let mut jpeg = file(&stripes(64, 32), ImageFormat::Jpeg);
    // An Exif segment with one entry: orientation 6, turn by 90 degrees.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    jpeg.splice(2..2, exif.iter().copied());
    assert_eq!(seen(&picture(&jpeg).unwrap()).dimensions(), (32, 64));
}

#[test]
fn agt_17_a_picture_of_ten_thousand_pixels_a_side_is_refused_by_its_header() {
    let mut png = file(&stripes(1, 1), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    let checksum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert!(matches!(picture(&png), Err(Error::ManyPixels { width: 10_000, height: 10_000, .. })));
}

#[test]
fn agt_17_what_follows_or_hides_in_a_picture_is_not_passed_on() {
    let mut png = file(&stripes(16, 16), ImageFormat::Png);
    png.extend_from_slice(b"PK\x03\x04<script>evil</script>");
    let picture = picture(&png).unwrap();
    assert!(!picture.data.windows(6).any(|window| window == b"script"));
}

#[test]
fn damaged_and_unknown_pictures_say_so() {
    let png = file(&stripes(64, 64), ImageFormat::Png);
    assert!(matches!(picture(&png[..60]), Err(Error::Damaged(_))));
    assert!(matches!(picture(b"<svg onload='x()'/>"), Err(Error::Damaged(_))));
}

/// The checksum of PNG (ISO 3309), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
